// Drivers of bridges: pcieport with its services, and shpchp.
import type { Machine } from '../machine.ts';
import type { DriverCall, Personality } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { addDriverSlots, removeDriverSlots } from '../operations/bus.ts';
import { addChild, removeChild } from '../operations/children.ts';
import { enableDevice } from '../operations/device-facts.ts';
import { childEvent, pciEvent } from '../operations/events.ts';
import { classId, endpointDriver } from './base.ts';

/** Services of a port: suffix of the device, driver that binds it. */
const services: readonly { readonly suffix: string; readonly driver: string | null }[] = [
  { suffix: 'pcie001', driver: 'pcie_pme' },
  { suffix: 'pcie002', driver: 'aer' },
  { suffix: 'pcie004', driver: 'pciehp' },
  { suffix: 'pcie010', driver: 'pcie_bwctrl' },
];

/** The services that a port offers: those the machine names, else those of a plain root port. */
function servicesOf(call: DriverCall): readonly string[] {
  const named = call.device.spec.children.other.pci_express;
  if (named !== undefined) return named.map((name) => name.slice(name.lastIndexOf(':') + 1));
  return call.device.parent === null ? ['pcie001', 'pcie002', 'pcie010'] : [];
}

/** pcie_pme_mark_devices: the port and all below can wake the machine; each hears of it once in its life. */
function markWakeup(machine: Machine, device: PciDevice): void {
  if (!device.wakeupCapable) {
    device.wakeupCapable = true;
    if (!machine.booting) pciEvent(machine, device, 'change');
  }
  for (const below of device.below.values()) markWakeup(machine, below);
}

/** Registers one service; its driver binds it at once. */
function addService(call: DriverCall, suffix: string, driver: string | null): void {
  const { machine, device } = call;
  const name = `${device.address}:${suffix}`;
  const service = { name, subsystem: 'pci_express', parent: device, bus: true } as const;
  const child = addChild(machine, driver === null ? service : { ...service, driver }, true);
  if (!machine.booting) childEvent(machine, child, 'add');
  if (driver === 'pcie_pme') markWakeup(machine, device);
  if (driver === 'pciehp') addDriverSlots(machine, device);
  if (!machine.booting && driver !== null) childEvent(machine, child, 'bind');
}

function start(call: DriverCall): null {
  const offered = servicesOf(call);
  for (const { suffix, driver } of services) {
    if (!offered.includes(suffix)) continue;
    const bound = suffix !== 'pcie010' || call.machine.profile.bandwidthControl;
    addService(call, suffix, bound ? driver : null);
  }
  return null;
}

function stop(call: DriverCall): void {
  for (const child of [...call.device.children]) {
    if (child.subsystem !== 'pci_express') continue;
    if (child.driver === 'pciehp') removeDriverSlots(call.machine, call.device);
    removeChild(call.machine, child);
  }
}

const normalBridge = classId(0x060400, 0xffffff);

/** pcieport: managed, and only for PCI Express ports. */
export const portDriver: Personality = endpointDriver({
  managedDma: true,
  probeMs: 5,
  removeMs: 5,
  ids: [normalBridge, classId(0x060401, 0xffffff), classId(0x080700, 0xffffff)],
  knows: ({ device }) => device.spec.nativeDriver === 'pcieport',
  start,
  stop,
});

/** shpchp: not managed; fails on bridges whose hot-plug something else has, and never disables a bridge. */
export const shpchpDriver: Personality = {
  ...endpointDriver({ ids: [normalBridge] }),
  remove: ({ machine, device }) => {
    removeDriverSlots(machine, device);
    return Promise.resolve();
  },
  probe: ({ machine, device }) => {
    const { spec } = device;
    if (spec.nativeDriver === 'shpchp' || spec.conventionalBelow) enableDevice(device);
    if (spec.nativeDriver !== 'shpchp') return 'ENODEV';
    addDriverSlots(machine, device);
    return null;
  },
};
