// Function resets from sysfs (drivers/pci/pci-sysfs.c reset_store, drivers/pci/pci.c reset_method_store).
import type { Settled } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import type { Task } from '../vfs.ts';
import { errno, took, value } from './answers.ts';
import { kernelNumber, nameIn } from './numbers.ts';
import { lockDevice } from './probe.ts';

/** What the methods wait for: pcie_flr, two transitions of D3hot, the secondary bus with its link. */
const resetMs: Readonly<Record<string, number>> = { flr: 100, af_flr: 100, pm: 20, bus: 200 };
const otherResetMs = 100;

/** pci_parent_bus_reset refuses where another function is on the bus: a hot-plugged one takes the method away. */
function isAloneOnBus(machine: Machine, device: PciDevice): boolean {
  if (device.parent === null) return false;
  return [...machine.devices.values()].every(
    (other) => other === device || other.parent !== device.parent,
  );
}

/** The first of the function's methods that works now, or null: then a reset answers ENOTTY. */
export function resetMethodNow(machine: Machine, device: PciDevice): string | null {
  const works = (method: string): boolean => method !== 'bus' || isAloneOnBus(machine, device);
  return device.resetMethods.find(works) ?? null;
}

/** Writes `1` to `reset`: works even while someone uses the function. */
export async function writeReset(
  machine: Machine,
  device: PciDevice,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  if (kernelNumber(data) !== 1) return errno('EINVAL');
  if (device.resetMethods.length === 0) return errno('ENOTTY');
  await lockDevice(device, task);
  const { group } = device;
  try {
    if (group !== null) group.recoveryCount += 1;
    const method = resetMethodNow(machine, device);
    if (method === null) return errno('ENOTTY');
    const wait = machine.pause(task, resetMs[method] ?? otherResetMs);
    if (wait !== undefined) await wait;
    const failure = machine.faults.onDevice('reset-failure', {
      address: device.address,
      driver: device.driver?.name ?? null,
    });
    const { driver } = device;
    if (failure === null && driver !== null && device.bound) {
      driver.personality.resetDone?.({ machine, device, driver, task });
    }
    return took(data, failure?.fault.errno ?? null);
  } finally {
    if (group !== null) group.recoveryCount -= 1;
    device.lock.give(task);
  }
}

/** `reset_method`: the methods in order, an empty text when all are off. */
export function readResetMethod(device: PciDevice): string {
  return device.resetMethods.length === 0 ? '' : `${device.resetMethods.join(' ')}\n`;
}

/** Chooses methods: empty turns all off, `default` restores; only what the function can do. */
export function writeResetMethod(device: PciDevice, data: string): Settled<number> {
  const text = nameIn(data);
  if (text === '') device.resetMethods = [];
  else if (text === 'default') device.resetMethods = device.bootResetMethods;
  else {
    const wanted = text.split(' ').filter((name) => name !== '');
    if (wanted.some((name) => !device.bootResetMethods.includes(name.trim())))
      return errno('EINVAL');
    device.resetMethods = wanted.map((name) => name.trim());
  }
  return value(data.length);
}
