// Attribute files that tell what a function is (drivers/pci/pci-sysfs.c), with the kernel's texts.
import { addressParts } from '../../../pci/address.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { value } from '../operations/answers.ts';
import { isConventional } from '../operations/device-facts.ts';
import { modaliasOf } from '../operations/events.ts';
import { type DeviceAttribute, setting, shown } from './attribute.ts';
import { configSpace } from './config-space.ts';

/** Lines of `resource`: six BARs, the ROM, and four bridge windows; empty ones read as zeros. */
const resourceLines = 13;
const emptyLine = '0x0000000000000000 0x0000000000000000 0x0000000000000000\n';

const isBridge = (device: PciDevice): boolean => device.spec.header === 'bridge';
const isVf = (device: PciDevice): boolean => device.physfn !== null;
/** A function with a PCI Express link: not one of the root complex, and not conventional. */
const hasLink = (device: PciDevice): boolean => {
  if (isConventional(device)) return false;
  return device.parent !== null || device.spec.nativeDriver === 'pcieport';
};

/** Number of the bus below a bridge: that of what hangs there, else unknown. */
function secondaryBus(device: PciDevice): number {
  for (const below of device.below.values()) return addressParts(below.address).bus;
  return 0;
}

function highestBus(device: PciDevice): number {
  let highest = secondaryBus(device);
  for (const below of device.below.values()) {
    highest = Math.max(
      highest,
      addressParts(below.address).bus,
      isBridge(below) ? highestBus(below) : 0,
    );
  }
  return highest;
}

const bars = (device: PciDevice): string => {
  const first = isBridge(device)
    ? ''
    : '0x00000000fe000000 0x00000000fe01ffff 0x0000000000040200\n';
  return first + emptyLine.repeat(first === '' ? resourceLines : resourceLines - 1);
};

const zero = (): string => '0';

/** By name. */
export const identityAttributes: Readonly<Record<string, DeviceAttribute>> = {
  vendor: shown(({ spec }) => `0x${spec.vendor}`),
  device: shown(({ spec }) => `0x${spec.device}`),
  subsystem_vendor: shown(({ spec }) => `0x${spec.subsystemVendor}`),
  subsystem_device: shown(({ spec }) => `0x${spec.subsystemDevice}`),
  class: shown(({ spec }) => `0x${spec.classCode}`),
  revision: shown(({ spec }) => `0x${spec.revision}`),
  modalias: shown(modaliasOf),
  irq: shown(zero),
  local_cpulist: shown(zero),
  local_cpus: shown(() => '1'),
  ari_enabled: shown((device) => (device.sriov !== null || isVf(device) ? '1' : '0')),
  dma_mask_bits: shown(() => '64'),
  consistent_dma_mask_bits: shown(() => '64'),
  resource: { mode: 0o444, read: (device) => value(bars(device)) },
  config: { mode: 0o644, read: (device, machine) => value(configSpace(machine, device)) },
  numa_node: setting('numa_node', ({ spec }) => String(spec.numaNode)),
  broken_parity_status: setting('broken_parity_status', zero),
  msi_bus: setting('msi_bus', () => '1'),
  d3cold_allowed: setting('d3cold_allowed', (device) =>
    device.parent !== null && !isVf(device) ? '1' : '0',
  ),
  boot_vga: shown(
    ({ spec }) => (spec.bootVga === true ? '1' : '0'),
    ({ spec }) => spec.bootVga !== null,
  ),
  rom: { mode: 0o600, there: ({ spec }) => spec.bootVga !== null, read: () => value('') },
  resource0: { mode: 0o600, there: (device) => !isBridge(device), read: () => value('') },
  waiting_for_supplier: shown(zero, (device) => !device.everBound && !isVf(device)),
  current_link_speed: shown(() => '2.5 GT/s PCIe', hasLink),
  current_link_width: shown(() => '1', hasLink),
  max_link_speed: shown(() => '2.5 GT/s PCIe', hasLink),
  max_link_width: shown(() => '1', hasLink),
  secondary_bus_number: shown((device) => String(secondaryBus(device)), isBridge),
  subordinate_bus_number: shown((device) => String(highestBus(device)), isBridge),
  power_state: shown((device) => device.powerState),
};
