// Writes to the files of a driver: bind, unbind, new_id, remove_id (drivers/base/bus.c, drivers/pci/pci-driver.c),
// and to those of the bus: drivers_probe, drivers_autoprobe.
import type { PciAddress } from '../../../pci/address.ts';
import type { Settled } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { Driver } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import type { Task } from '../vfs.ts';
import { errno, took, value } from './answers.ts';
import { alreadyMatches, dynamicIdIndex, mayBind, parseNewId } from './match.ts';
import { nameIn } from './numbers.ts';
import { attachDevice, attachDriver, lockDevice, probeDevice, releaseDevice } from './probe.ts';

/** bus_find_device_by_name: the full name, one newline tolerated. */
function deviceNamed(machine: Machine, data: string): PciDevice | undefined {
  return machine.devices.get(nameIn(data) as PciAddress);
}

/** bind_store. The match is made before the lock is taken, and again in the probe. */
export async function writeBind(
  machine: Machine,
  driver: Driver,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  const device = deviceNamed(machine, data);
  if (device === undefined || !mayBind(driver, device)) return errno('ENODEV');
  if (machine.profile.bindOnBound === 'ENODEV' && device.driver !== null) return errno('ENODEV');
  await lockDevice(device, task);
  try {
    const result = await probeDevice(machine, driver, device, task);
    if (result.kind === 'bound') return value(data.length);
    if (result.errno === 'EPROBE_DEFER') return errno('EAGAIN');
    const told = result.kind === 'refused' || machine.profile.bindTellsProbe;
    return errno(told ? result.errno : 'ENODEV');
  } finally {
    device.lock.give(task);
  }
}

/** unbind_store: blocks as long as the removal does. */
export async function writeUnbind(
  machine: Machine,
  driver: Driver,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  const device = deviceNamed(machine, data);
  if (device === undefined || device.driver !== driver) return errno('ENODEV');
  await lockDevice(device, task);
  try {
    // device_release_driver_internal(dev, NULL): whatever driver it has by now.
    await releaseDevice(machine, device, task);
    return value(data.length);
  } finally {
    device.lock.give(task);
  }
}

/** drivers_probe: says nothing about what became of the device, except that the bus refused. */
export async function writeDriversProbe(
  machine: Machine,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  const device = deviceNamed(machine, data);
  if (device === undefined) return errno('ENODEV');
  // bus_rescan_devices_helper looks at dev->driver without the lock.
  if (device.driver !== null) return value(data.length);
  const refusal = await attachDevice(machine, device, task);
  return took(data, refusal === null ? null : 'EINVAL');
}

/** new_id_store: afterwards every free function that matches is probed at once. */
export async function writeNewId(
  machine: Machine,
  driver: Driver,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  const parsed = parseNewId(data);
  if (parsed === null) return errno('EINVAL');
  if (parsed.fields !== 7 && alreadyMatches(driver, parsed.id, [...machine.devices.values()])) {
    return errno('EEXIST');
  }
  // Only values that the driver's own table has; a driver without a table takes any.
  const { ids } = driver.personality;
  if (parsed.data !== 0 && (ids.length > 0 || driver.personality.hasTable)) return errno('EINVAL');
  driver.dynamicIds.push(parsed.id);
  await attachDriver(machine, driver, task);
  return value(data.length);
}

/** remove_id_store: bound functions stay bound. */
export function writeRemoveId(driver: Driver, data: string): Settled<number> {
  const parsed = parseNewId(data);
  if (parsed === null) return errno('EINVAL');
  const at = dynamicIdIndex(driver, parsed.id);
  if (at < 0) return errno('ENODEV');
  driver.dynamicIds.splice(at, 1);
  return value(data.length);
}

/** drivers_autoprobe_store. */
export function writeAutoprobe(machine: Machine, data: string): Settled<number> {
  machine.autoprobe = !data.startsWith('0');
  return value(data.length);
}
