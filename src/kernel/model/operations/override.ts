// driver_override (drivers/base/driver.c, driver_set_override): what is stored, and what a write answers.
import type { Settled } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import type { Attempt, Task } from '../vfs.ts';
import { errno, value } from './answers.ts';
import { lockDevice } from './probe.ts';

const pageSize = 4096;

/** Cuts at NUL and at the first newline; null clears (an empty text, or one that starts with a newline). */
function overrideIn(data: string): string | null {
  const nul = data.indexOf('\0');
  const text = nul < 0 ? data : data.slice(0, nul);
  const newline = text.indexOf('\n');
  const name = newline < 0 ? text : text.slice(0, newline);
  return name === '' ? null : name;
}

function store(machine: Machine, device: PciDevice, data: string): Settled<number> {
  device.override = overrideIn(data);
  if (
    machine.faults.onDevice('override-loss', { address: device.address, driver: null }) !== null
  ) {
    device.override = null;
  }
  return value(data.length);
}

/** A write: neither binds nor unbinds, and does not ask whether the driver exists. */
export function writeOverride(
  machine: Machine,
  device: PciDevice,
  data: string,
  task: Task,
): Attempt<number> {
  if (data.length >= pageSize - 1) return errno('EINVAL');
  if (!machine.profile.overrideLocks) return store(machine, device, data);
  return underLock(device, task, () => store(machine, device, data));
}

/** A read: `(null)` when unset. */
export function readOverride(machine: Machine, device: PciDevice, task: Task): Attempt<string> {
  const text = (): Settled<string> => value(`${device.override ?? '(null)'}\n`);
  return machine.profile.overrideLocks ? underLock(device, task, text) : text();
}

/** Runs `work` under the device lock: at once when it is free. */
export function underLock<T>(device: PciDevice, task: Task, work: () => Settled<T>): Attempt<T> {
  if (device.lock.holder === null) return work();
  return lockDevice(device, task).then(() => {
    try {
      return work();
    } finally {
      device.lock.give(task);
    }
  });
}
