// Functions appear on the bus and vanish from it: pci_device_add, pci_bus_add_device,
// pci_stop_and_remove_bus_device (drivers/pci/{probe,bus,remove}.c), and the writes remove and rescan.
import { addressParts, type PciAddress } from '../../../pci/address.ts';
import type { Settled } from '../../fs.ts';
import { enumerationOrder } from '../grouping.ts';
import type { Machine } from '../machine.ts';
import { PciDevice } from '../objects/pci-device.ts';
import type { DeviceSpec } from '../spec.ts';
import type { Task } from '../vfs.ts';
import { errno, value } from './answers.ts';
import { addChild, removeChild } from './children.ts';
import { pciEvent } from './events.ts';
import { addBus, removeBus } from './bus.ts';
import { joinGroup, leaveGroup } from './grouping.ts';
import { kernelNumber } from './numbers.ts';
import { attachDevice, inBackground, lockDevice, releaseDevice } from './probe.ts';

/** Until a kernel thread runs whose work was queued: whoever queued it goes on first. */
const workerStartMs = 1;
/** What is left to wait for when a function has gone (RCU, devtmpfs). */
const removeMs = 40;

/** Where a function hangs. */
export interface Place {
  readonly parent: PciDevice | null;
  readonly physfn: PciDevice | null;
}

/** `/devices/pci0000:00` */
export function rootPathOf(address: PciAddress): string {
  const { domain, bus } = addressParts(address);
  const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
  return `/devices/pci${hex(domain, 4)}:${hex(bus, 2)}`;
}

/** The wakeup source of the slot's ACPI node (pci_acpi_setup). */
function addWakeup(machine: Machine, device: PciDevice): void {
  if (device.firmwareNode === null) return;
  const parent = machine.profile.wakeupBelowDevice
    ? device
    : ({ kind: 'root', devpath: device.firmwareNode } as const);
  const name = `wakeup${machine.ids('wakeup').take()}`;
  device.wakeup = addChild(machine, { name, subsystem: 'wakeup', parent });
}

function removeWakeup(machine: Machine, device: PciDevice): void {
  if (device.wakeup === null) return;
  machine.ids('wakeup').give(Number(device.wakeup.name.slice('wakeup'.length)));
  removeChild(machine, device.wakeup);
  device.wakeup = null;
}

/**
 * pci_init_reset_methods: a function that is not the first on its bus cannot be reset by the bus, and stays so. What is
 * there at boot is as the machine says (boot.ts).
 */
function resetMethodsFound(machine: Machine, spec: DeviceSpec, place: Place): readonly string[] {
  const isFirst = [...machine.devices.values()].every(
    ({ parent, physfn }) => parent !== place.parent || physfn !== null,
  );
  return isFirst || place.physfn !== null
    ? spec.resetMethods
    : spec.resetMethods.filter((method) => method !== 'bus');
}

/** pci_device_add: the function exists, is in its group, and is announced; no driver may be tried yet. */
export function findFunction(machine: Machine, spec: DeviceSpec, place: Place): PciDevice {
  const resetMethods = resetMethodsFound(machine, spec, place);
  const links = { ...place, rootPath: rootPathOf(spec.address), resetMethods };
  const device = new PciDevice(spec, links);
  machine.addDevice(device);
  addWakeup(machine, device);
  joinGroup(machine, device);
  pciEvent(machine, device, 'add');
  addBus(machine, device);
  return device;
}

/** pci_bus_add_device: drivers are tried. */
export async function startFunction(
  machine: Machine,
  device: PciDevice,
  task: Task,
): Promise<void> {
  device.matchable = true;
  const { profile } = machine;
  if (profile.autoprobeCoversHotplug && !machine.autoprobe) return;
  if (!profile.asyncInitialProbe) {
    const refusal = await attachDevice(machine, device, task);
    if (refusal !== null && profile.attachFailureLogged) {
      machine.log(
        `pci ${device.address}: device attach failed (${refusal === 'EBUSY' ? -16 : refusal})`,
      );
    }
    return;
  }
  await attachDevice(machine, device, task, 'synchronous');
  if (device.driver !== null) return;
  void inBackground(machine, async (worker) => {
    const turn = machine.pause(worker, workerStartMs);
    if (turn !== undefined) await turn;
    await attachDevice(machine, device, worker, 'asynchronous');
  });
}

/** pci_stop_bus_device: drivers leave, from the bottom up and from the last to the first. */
async function stopFunction(machine: Machine, device: PciDevice, task: Task): Promise<void> {
  for (const below of [...device.below.values()].reverse())
    await stopFunction(machine, below, task);
  await lockDevice(device, task);
  try {
    await releaseDevice(machine, device, task);
  } finally {
    device.lock.give(task);
  }
  device.matchable = false;
}

/** pci_remove_bus_device: what is below goes first, then the bus, then the function. */
async function destroyFunction(machine: Machine, device: PciDevice, task: Task): Promise<void> {
  for (const below of [...device.below.values()]) await destroyFunction(machine, below, task);
  if (!device.registered) return;
  removeBus(machine, device);
  // device_del kills the device under its lock: whoever queued for it before is served first.
  await lockDevice(device, task);
  device.registered = false;
  device.lock.give(task);
  const siblings = device.physfn?.sriov?.vfs;
  for (const [index, vf] of siblings ?? []) if (vf === device) siblings?.delete(index);
  machine.removeDevice(device);
  removeWakeup(machine, device);
  pciEvent(machine, device, 'remove');
  leaveGroup(machine, device);
}

/** pci_stop_and_remove_bus_device; the caller holds the global lock. */
export async function removeFunction(
  machine: Machine,
  device: PciDevice,
  task: Task,
): Promise<void> {
  await stopFunction(machine, device, task);
  await destroyFunction(machine, device, task);
}

/** Remembers what stays in its slots, so that a rescan finds it again: everything but VFs. */
function remember(machine: Machine, device: PciDevice): void {
  if (device.physfn === null) machine.hidden.set(device.address, device.spec);
  for (const below of device.below.values()) remember(machine, below);
}

/** remove_store: the file is gone at once, the function after the global lock was had. */
export async function writeRemove(
  machine: Machine,
  device: PciDevice,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  const asked = kernelNumber(data);
  if (asked === null) return errno('EINVAL');
  if (asked === 0 || device.removing) return value(data.length);
  device.removing = true;
  const turn = machine.rescanLock.take(task);
  if (turn !== undefined) await turn;
  try {
    if (device.registered) {
      remember(machine, device);
      await removeFunction(machine, device, task);
      const wait = machine.pause(task, removeMs);
      if (wait !== undefined) await wait;
    }
    return value(data.length);
  } finally {
    machine.rescanLock.give(task);
  }
}

/** Finds what is in the slots but not on the bus; `within`: only below this bridge. */
async function scan(machine: Machine, task: Task, within: PciDevice | null): Promise<void> {
  const wait = machine.pause(task, machine.profile.rescanMs);
  if (wait !== undefined) await wait;
  const found: PciDevice[] = [];
  for (const spec of enumerationOrder([...machine.hidden.values()])) {
    const parent = spec.parent === null ? null : (machine.devices.get(spec.parent) ?? undefined);
    if (parent === undefined || machine.devices.has(spec.address)) continue;
    if (within !== null && !isBelow(parent, within)) continue;
    machine.hidden.delete(spec.address);
    found.push(findFunction(machine, spec, { parent, physfn: null }));
  }
  for (const device of found) await startFunction(machine, device, task);
}

/**
 * A hot-plug driver found a new function in a slot: what else lies unnoticed on that bus is found with it.
 * The caller holds the global lock.
 */
export async function plugIn(
  machine: Machine,
  spec: DeviceSpec,
  parent: PciDevice | null,
  task: Task,
): Promise<void> {
  const found = [findFunction(machine, spec, { parent, physfn: null })];
  for (const other of enumerationOrder([...machine.hidden.values()])) {
    if (other.parent !== spec.parent || machine.devices.has(other.address)) continue;
    machine.hidden.delete(other.address);
    found.push(findFunction(machine, other, { parent, physfn: null }));
  }
  for (const device of found) await startFunction(machine, device, task);
}

function isBelow(parent: PciDevice | null, bridge: PciDevice): boolean {
  for (let up = parent; up !== null; up = up.parent) if (up === bridge) return true;
  return false;
}

/** The bus file rescan, and the one of a function (the bus below it, or its own). */
export async function writeRescan(
  machine: Machine,
  data: string,
  task: Task,
  within: PciDevice | null = null,
): Promise<Settled<number>> {
  const asked = kernelNumber(data);
  if (asked === null) return errno('EINVAL');
  if (asked === 0) return value(data.length);
  await rescan(machine, task, within);
  return value(data.length);
}

/** pci_rescan_bus under the global lock. */
async function rescan(
  machine: Machine,
  task: Task,
  within: PciDevice | null = null,
): Promise<void> {
  const turn = machine.rescanLock.take(task);
  if (turn !== undefined) await turn;
  try {
    await scan(machine, task, within);
  } finally {
    machine.rescanLock.give(task);
  }
}
