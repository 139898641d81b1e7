// How an attribute file of a PCI function is described: when it is there, and what reading and writing do.
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { errno, value } from '../operations/answers.ts';
import type { Attempt, Task, VFile } from '../vfs.ts';

/** A file, for every function at once. */
export interface DeviceAttribute {
  readonly mode: number;
  /** Absent: always there. */
  readonly there?: (device: PciDevice, machine: Machine) => boolean;
  readonly read?: (device: PciDevice, machine: Machine, task: Task) => Attempt<string | Uint8Array>;
  readonly write?: (device: PciDevice, machine: Machine, io: WriteCall) => Attempt<number>;
}

/** One write: the bytes and the caller. */
export interface WriteCall {
  readonly data: string;
  readonly task: Task;
}

/** The attribute of one function as a file. */
export function attributeFile(
  attribute: DeviceAttribute,
  device: PciDevice,
  machine: Machine,
): VFile {
  const { read, write, mode } = attribute;
  const file: { kind: 'file'; mode: number; read?: VFile['read']; write?: VFile['write'] } = {
    kind: 'file',
    mode,
  };
  if (read !== undefined) file.read = (task) => read(device, machine, task);
  // sysfs never hands a write of no bytes to the attribute.
  if (write !== undefined) {
    file.write = (data, task) => (data === '' ? value(0) : write(device, machine, { data, task }));
  }
  return file as VFile;
}

/** A read-only attribute with the newline added. */
export function shown(
  text: (device: PciDevice, machine: Machine) => string,
  there?: (device: PciDevice, machine: Machine) => boolean,
): DeviceAttribute {
  const read = (device: PciDevice, machine: Machine): Attempt<string> =>
    value(`${text(device, machine)}\n`);
  return there === undefined ? { mode: 0o444, read } : { mode: 0o444, read, there };
}

/** Which texts a setting takes; others are EINVAL. */
export type Accepts = (text: string) => boolean;

/** A setting that can be written and changes nothing else in the model. */
export function setting(
  name: string,
  initial: (device: PciDevice, machine: Machine) => string,
  accepts: Accepts,
  there?: (device: PciDevice, machine: Machine) => boolean,
): DeviceAttribute {
  return {
    mode: 0o644,
    ...(there === undefined ? {} : { there }),
    read: (device, machine) => value(`${device.settings.get(name) ?? initial(device, machine)}\n`),
    write: (device, _machine, { data }) => {
      if (!accepts(data)) return errno('EINVAL');
      device.settings.set(name, data.trim());
      return value(data.length);
    },
  };
}
