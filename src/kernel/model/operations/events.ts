// The uevents that the core sends for functions and their children, with the environment the kernel gives.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { PciDevice } from '../objects/pci-device.ts';

type Env = (readonly [key: string, value: string])[];

function upper(hex: string, width: number): string {
  return hex.toUpperCase().padStart(width, '0');
}

/** `pci:v00008086d0000100E…` (drivers/pci/pci-sysfs.c, modalias_show). */
export function modaliasOf(device: PciDevice): string {
  const { vendor, device: id, subsystemVendor, subsystemDevice, classCode } = device.spec;
  const ids = `v${upper(vendor, 8)}d${upper(id, 8)}sv${upper(subsystemVendor, 8)}sd${upper(subsystemDevice, 8)}`;
  const [base, sub, prog] = [classCode.slice(0, 2), classCode.slice(2, 4), classCode.slice(4, 6)];
  return `pci:${ids}bc${upper(base, 2)}sc${upper(sub, 2)}i${upper(prog, 2)}`;
}

/** The keys of pci_uevent(), after DRIVER: what the `uevent` file shows as well. */
export function pciKeys(device: PciDevice): Env {
  const { vendor, device: id, subsystemVendor, subsystemDevice, classCode } = device.spec;
  const keys: Env = [];
  if (device.driver !== null) keys.push(['DRIVER', device.driver.name]);
  // %04X: a class below 0x100000 has no leading zero.
  keys.push(['PCI_CLASS', classCode.replace(/^0{1,2}/, '').toUpperCase()]);
  keys.push(['PCI_ID', `${upper(vendor, 4)}:${upper(id, 4)}`]);
  keys.push(['PCI_SUBSYS_ID', `${upper(subsystemVendor, 4)}:${upper(subsystemDevice, 4)}`]);
  keys.push(['PCI_SLOT_NAME', device.address]);
  keys.push(['MODALIAS', modaliasOf(device)]);
  return keys;
}

/** Sends an event of a PCI function. `extra`: keys of a synthetic event, which come first. */
export function pciEvent(
  machine: Machine,
  device: PciDevice,
  action: string,
  extra: readonly (readonly [string, string])[] = [],
): void {
  const keys = pciKeys(device);
  // zap_modalias_env: an unbind must not make udev load the driver again.
  const kept = action === 'unbind' ? keys.filter(([key]) => key !== 'MODALIAS') : keys;
  machine.uevents.emit(action, device.devpath, [['SUBSYSTEM', 'pci'], ...extra, ...kept]);
}

/** The keys of a child device after SUBSYSTEM: what its `uevent` file shows. */
export function childKeys(child: ChildDevice): Env {
  const keys: Env = [];
  if (child.devno !== null) {
    const [major = '0', minor = '0'] = child.devno.split(':');
    keys.push(['MAJOR', major], ['MINOR', minor]);
  }
  if (child.devname !== null) keys.push(['DEVNAME', child.devname]);
  if (child.devtype !== null) keys.push(['DEVTYPE', child.devtype]);
  if (child.driver !== null) keys.push(['DRIVER', child.driver]);
  if (child.facts.kind === 'net') {
    keys.push(['INTERFACE', child.name], ['IFINDEX', String(child.facts.ifindex)]);
  }
  return keys;
}

/** Sends an event of a child device; those of interfaces stay in their own network namespace. */
export function childEvent(machine: Machine, child: ChildDevice, action: string): void {
  if (child.facts.kind === 'net' && child.facts.net.namespace !== null) return;
  const keys = childKeys(child);
  const early = action === 'add' || action === 'remove' || action === 'unbind';
  // The driver of a bus device is there from its bind event on.
  const kept = early ? keys.filter(([key]) => key !== 'DRIVER') : keys;
  machine.uevents.emit(action, child.devpath, [['SUBSYSTEM', child.subsystem], ...kept]);
}
