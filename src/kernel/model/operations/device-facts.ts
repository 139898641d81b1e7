// Facts of a function that follow from what it is: power management, its place on PCI Express.
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';

/** Conventional PCI functions, which have no power management capability either, vendor:device. */
const conventionalIds: ReadonlySet<string> = new Set([
  '8086:100e',
  '8086:100f',
  '8086:1004',
  '10ec:8139',
  '1234:1111',
  '1234:11e8',
  '1b36:0005',
  '8086:2668',
  '8086:29c0',
  '8086:2918',
  '8086:2922',
  '8086:2930',
]);

function idOf(device: PciDevice): string {
  return `${device.spec.vendor}:${device.spec.device}`;
}

/** Emulated functions whose VFs have a power management capability of their own. */
const vfsWithPowerManagement: ReadonlySet<string> = new Set(['1b36:0010']);

/** Whether the function can be put into D3hot. Most VFs cannot. */
export function hasPowerManagement(device: PciDevice): boolean {
  if (device.physfn !== null) return vfsWithPowerManagement.has(idOf(device));
  return !conventionalIds.has(idOf(device));
}

/** A conventional PCI function: known as one, or below a bridge to conventional PCI. */
export function isConventional(device: PciDevice): boolean {
  if (conventionalIds.has(idOf(device))) return true;
  for (let up = device.parent; up !== null; up = up.parent)
    if (up.spec.conventionalBelow) return true;
  return false;
}

/** Emulated functions without advanced error reporting. */
const withoutErrorReporting: ReadonlySet<string> = new Set(['1b36:0010', '1af4:1041', '1af4:1042']);

/** A PCI Express function with a link of its own: everything but conventional ones and those of the root complex. */
export function hasLink(device: PciDevice): boolean {
  if (isConventional(device)) return false;
  if (device.parent !== null || device.spec.header === 'bridge') return true;
  return withoutErrorReporting.has(idOf(device));
}

/** Advanced error reporting: its counters are files of the function. */
export function reportsErrors(device: PciDevice): boolean {
  return hasLink(device) && !withoutErrorReporting.has(idOf(device));
}

/** BARs of functions that are known; others show the first alone. */
const barsById: Readonly<Record<string, readonly number[]>> = {
  '8086:100e': [0, 1],
  '10ec:8139': [0, 1],
  '8086:10d3': [0, 1, 2, 3],
  '8086:10c9': [0, 1, 2, 3],
  '8086:10ca': [0, 3],
  '8086:29c0': [],
  '8086:2918': [],
  '8086:2922': [4, 5],
  '8086:2930': [4],
  '1234:1111': [0, 2],
  '1b36:0005': [0, 1],
  '1af4:1009': [0, 1, 4],
  '1af4:1041': [1, 4],
  '1af4:1042': [1, 4],
  '104c:8232': [],
  '104c:8233': [],
};

/** Numbers of the BARs that have a `resourceN` file. */
export function barsOf(device: PciDevice): readonly number[] {
  return barsById[idOf(device)] ?? [0];
}

/** Prefetchable BARs of functions that are known: they can be mapped write-combined as well. */
const prefetchableById: Readonly<Record<string, readonly number[]>> = {
  '8086:10ca': [0, 3],
  '1234:1111': [0],
  '1af4:1009': [4],
  '1af4:1041': [4],
  '1af4:1042': [4],
};

/** Numbers of the BARs that have a `resourceN_wc` file. */
export function writeCombinedBarsOf(device: PciDevice): readonly number[] {
  return prefetchableById[idOf(device)] ?? [];
}

/** pci_enable_device: counts, wakes, and enables the bridges above once. */
export function enableDevice(device: PciDevice): void {
  for (let up = device.parent; up !== null; up = up.parent) {
    if (up.enableCount > 0) break;
    up.enableCount = 1;
    up.powerState = 'D0';
  }
  device.enableCount += 1;
  device.powerState = 'D0';
}

/** pci_disable_device. */
export function disableDevice(device: PciDevice): void {
  device.enableCount = Math.max(0, device.enableCount - 1);
}

/** True when the function no longer answers: dead from the start, or struck by a fault. */
export function isGone(machine: Machine, device: PciDevice): boolean {
  if (device.dead || machine.faults.none) return device.dead;
  return (
    machine.faults.onDevice('dead', {
      address: device.address,
      driver: device.driver?.name ?? null,
    }) !== null
  );
}
