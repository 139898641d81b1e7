// Drivers of bridges: pcieport with its services, and shpchp.
import type { DriverCall, Personality } from '../objects/driver.ts';
import { addChild, removeChild } from '../operations/children.ts';
import { disableDevice, enableDevice } from '../operations/device-facts.ts';
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

function start(call: DriverCall): null {
  const { machine, device } = call;
  const offered = servicesOf(call);
  for (const { suffix, driver } of services) {
    if (!offered.includes(suffix)) continue;
    const bound = driver !== null && (suffix !== 'pcie010' || machine.profile.bandwidthControl);
    addChild(
      machine,
      {
        name: `${device.address}:${suffix}`,
        subsystem: 'pci_express',
        parent: device,
        bus: true,
        ...(bound ? { driver } : {}),
      },
      machine.booting,
    );
  }
  return null;
}

function stop(call: DriverCall): void {
  for (const child of [...call.device.children]) {
    if (child.subsystem === 'pci_express') removeChild(call.machine, child);
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

/** shpchp: not managed; fails on bridges whose hot-plug something else has. */
export const shpchpDriver: Personality = {
  ...endpointDriver({
    ids: [normalBridge],
    knows: ({ device }) => device.spec.nativeDriver === 'shpchp',
  }),
  remove: (call) => {
    disableDevice(call.device);
    return Promise.resolve();
  },
  probe: (call) => {
    if (call.device.spec.nativeDriver !== 'shpchp') return 'ENODEV';
    enableDevice(call.device);
    return null;
  },
};
