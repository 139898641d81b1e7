// Facts of a function that follow from what it is: power management, its place on PCI Express.
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';

/** Emulated and conventional functions without a power management capability, vendor:device. */
const withoutPowerManagement: ReadonlySet<string> = new Set([
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

/** Whether the function can be put into D3hot. VFs have no capability of their own. */
export function hasPowerManagement(device: PciDevice): boolean {
  if (device.physfn !== null) return false;
  return !withoutPowerManagement.has(`${device.spec.vendor}:${device.spec.device}`);
}

/** A bridge from PCI Express to conventional PCI above, or at least one on a root bus that is no port. */
export function isConventional(device: PciDevice): boolean {
  for (let up = device.parent; up !== null; up = up.parent)
    if (up.spec.conventionalBelow) return true;
  return false;
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
