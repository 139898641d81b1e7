// The bus below a bridge, and the hot-plug slots on it, as devices of their own (drivers/pci/{probe,slot}.c).
import { addressParts } from '../../../pci/address.ts';
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { addChild, removeChild } from './children.ts';

/** Number of the bus below a bridge: what the machine says, or that of what hangs there; null: unknown. */
function busBelow(device: PciDevice): string | null {
  const told = device.spec.children.other.pci_bus?.[0];
  if (told !== undefined) return told;
  for (const { address } of device.below.values()) {
    const { domain, bus } = addressParts(address);
    const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
    return `${hex(domain, 4)}:${hex(bus, 2)}`;
  }
  return null;
}

/** Slots that firmware describes: they come with the bus (acpiphp). */
function firmwareSlots(device: PciDevice): readonly string[] {
  return device.spec.children.other.slots ?? [];
}

/** Names of the hot-plug slots on the bus below a bridge (`/sys/bus/pci/slots`). */
export function slotsOf(device: PciDevice): readonly string[] {
  return [...firmwareSlots(device), ...device.driverSlots];
}

/** pci_hp_register by the driver of a bridge: the slots that the machine says it has. */
export function addDriverSlots(machine: Machine, device: PciDevice): void {
  device.driverSlots = device.spec.children.other['driver-slots'] ?? [];
  if (machine.booting) return;
  for (const slot of device.driverSlots) slotEvent(machine, 'add', slot);
}

/** pci_hp_deregister, the last first. */
export function removeDriverSlots(machine: Machine, device: PciDevice): void {
  for (const slot of [...device.driverSlots].reverse()) slotEvent(machine, 'remove', slot);
  device.driverSlots = [];
}

function slotEvent(machine: Machine, action: string, name: string): void {
  machine.uevents.emit(action, `/bus/pci/slots/${name}`, [['SUBSYSTEM', 'slots']]);
}

/** pci_scan_bridge: the bus is registered, then the slots; a name that was taken is changed first. */
export function addBus(machine: Machine, device: PciDevice, quiet = false): void {
  if (device.spec.header !== 'bridge') return;
  const name = busBelow(device);
  if (name !== null) addChild(machine, { name, subsystem: 'pci_bus', parent: device }, quiet);
  if (quiet) return;
  for (const slot of firmwareSlots(device)) {
    if (slot.includes('-')) slotEvent(machine, 'move', slot);
    slotEvent(machine, 'add', slot);
  }
}

/** pci_remove_bus: slots go, the last first. */
export function removeBus(machine: Machine, device: PciDevice): void {
  for (const slot of [...firmwareSlots(device)].reverse()) slotEvent(machine, 'remove', slot);
  for (const child of [...device.children]) {
    if (child.subsystem === 'pci_bus') removeChild(machine, child);
  }
}
