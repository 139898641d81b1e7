// Which personality a driver name has, and the module a driver comes from. Unknown names are native drivers
// that make whatever children the topology gives the function.
import type { DriverCall, Personality } from '../objects/driver.ts';
import { addChild, removeChild } from '../operations/children.ts';
import { endpointDriver, type Behaviour } from './base.ts';
import { addInterface, netDrivers, removeInterface } from './net.ts';
import { stubDriver, uioDriver, vfioDriver } from './neutral.ts';
import { nvmeDriver } from './nvme.ts';
import { startOthers, stopOthers } from './others.ts';
import { portDriver, shpchpDriver } from './ports.ts';

/** Sysfs names of the VFIO drivers for PCI functions. */
export const vfioDriverNames: readonly string[] = [
  'vfio-pci',
  'mlx5_vfio_pci',
  'hisi_acc_vfio_pci',
  'pds_vfio_pci',
  'nvgrace_gpu_vfio_pci',
  'virtio_vfio_pci',
  'qat_vfio_pci',
  'xe-vfio-pci',
  'ism_vfio_pci',
];

/** Makes interfaces and everything else the topology names. */
function startAll(call: DriverCall): null {
  const { machine, device } = call;
  for (const net of device.spec.children.net) {
    const fresh = {
      ...net,
      up: false,
      carrier: false,
      addresses: [],
      master: null,
      uppers: [],
      namespace: null,
    };
    addInterface(machine, device, machine.booting ? net : fresh, machine.booting);
  }
  startOthers(call);
  return null;
}

function stopAll(call: DriverCall): void {
  stopOthers(call);
  for (const child of [...call.device.children]) {
    if (child.subsystem === 'net') removeInterface(call.machine, child);
  }
}

/** A native driver without manners of its own. */
function nativeDriver(behaviour: Behaviour): Personality {
  return endpointDriver({ start: startAll, stop: stopAll, ...behaviour });
}

/** One more child on a bus, unless the topology has one of that kind. */
function addOwn(call: DriverCall, subsystem: string, name: string): void {
  const { machine, device } = call;
  if (device.spec.children.other[subsystem] !== undefined) return;
  addChild(machine, { name, subsystem, parent: device, bus: true }, machine.booting);
}

/** Ports that an AHCI controller has, used or not. */
const ahciPorts = 6;

function startAhci(call: DriverCall): null {
  startAll(call);
  const used = call.device.children.filter((child) => child.subsystem === 'ata').length;
  for (let port = used; port < ahciPorts; port++) {
    addOwn(call, 'ata', `ata${call.machine.ids('ata').take() + 1}`);
  }
  return null;
}

/** The watchdog of the chipset lies below its LPC bridge. */
function startLpc(call: DriverCall): null {
  startAll(call);
  addOwn(call, 'platform', 'iTCO_wdt.1.auto');
  return null;
}

function startSmbus(call: DriverCall): null {
  startAll(call);
  addOwn(call, 'i2c', 'i2c-0');
  return null;
}

/** virtio-pci: everything hangs below a virtio device. */
function startVirtio(call: DriverCall): null {
  const { machine, device } = call;
  const { children } = device.spec;
  if (children.virtio === null) return startAll(call);
  const driver =
    children.net.length > 0 ? 'virtio_net' : children.block.length > 0 ? 'virtio_blk' : null;
  const virtio = addChild(
    machine,
    {
      name: children.virtio,
      subsystem: 'virtio',
      parent: device,
      bus: true,
      ...(driver === null ? {} : { driver }),
    },
    machine.booting,
  );
  for (const net of children.net) addInterface(machine, virtio, net, machine.booting);
  startOthers(call, virtio);
  return null;
}

function stopVirtio(call: DriverCall): void {
  const { machine, device } = call;
  const virtio = device.children.find((child) => child.subsystem === 'virtio');
  for (const child of [...(virtio?.children ?? [])]) {
    if (child.subsystem === 'net') removeInterface(machine, child);
  }
  stopAll(call);
  if (virtio !== undefined && device.children.includes(virtio)) removeChild(machine, virtio);
}

const named: Readonly<Record<string, Personality>> = {
  ...netDrivers,
  nvme: nvmeDriver,
  pcieport: portDriver,
  shpchp: shpchpDriver,
  'pci-stub': stubDriver,
  uio_pci_generic: uioDriver,
  igb_uio: uioDriver,
  pciback: { ...stubDriver, managedDma: false },
  'pci-pf-stub': { ...stubDriver, managedDma: false, sriovConfigure: true },
  'virtio-pci': endpointDriver({ start: startVirtio, stop: stopVirtio, sriovConfigure: true }),
  ahci: nativeDriver({ probeMs: 80, removeMs: 30, start: startAhci }),
  mpt3sas: nativeDriver({ probeMs: 200, removeMs: 100 }),
  megaraid_sas: nativeDriver({ probeMs: 200, removeMs: 100 }),
  lpc_ich: nativeDriver({ probeMs: 5, removeMs: 5, leavesDisabled: true, start: startLpc }),
  i801_smbus: nativeDriver({ probeMs: 5, removeMs: 5, start: startSmbus }),
  'bochs-drm': nativeDriver({ probeMs: 30, removeMs: 30 }),
  snd_hda_intel: nativeDriver({ probeMs: 30, removeMs: 30, prefersAsync: false }),
  xhci_hcd: nativeDriver({ probeMs: 60, removeMs: 60 }),
  nvidia: nativeDriver({ probeMs: 800, removeMs: 300, sriovConfigure: true }),
  amdgpu: nativeDriver({ probeMs: 1500, removeMs: 800, sriovConfigure: true }),
  i915: nativeDriver({ probeMs: 500, removeMs: 400, sriovConfigure: true }),
  xe: nativeDriver({ probeMs: 500, removeMs: 400, sriovConfigure: true }),
  vmd: nativeDriver({ probeMs: 100, removeMs: 100 }),
};

/** The module behind a driver whose names differ. */
const modules: Readonly<Record<string, string>> = {
  'vfio-pci': 'vfio_pci',
  'pci-stub': 'pci_stub',
  pcieport: 'pcieportdrv',
  'virtio-pci': 'virtio_pci',
  xhci_hcd: 'xhci_pci',
  'bochs-drm': 'bochs',
  i801_smbus: 'i2c_i801',
  'xe-vfio-pci': 'xe_vfio_pci',
  serial: '8250_pci',
  'pci-pf-stub': 'pci_pf_stub',
};

/** How a driver of this name behaves. */
export function personalityOf(name: string): Personality {
  if (vfioDriverNames.includes(name)) return vfioDriver;
  return named[name] ?? nativeDriver({ sriovConfigure: true });
}

/** The module a driver of this name comes from. */
export function moduleOf(name: string): string {
  return modules[name] ?? name;
}
