// How the recording program prints what came of a command.
import type { Uevent } from '../../src/kernel/model/objects/uevents.ts';
import type { GroupStatus } from '../../src/kernel/model/operations/files.ts';
import type { Returned } from '../../src/kernel/model/operations/returned.ts';

const errnoNumbers: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ELOOP: 40,
  EBADFD: 77,
  EOPNOTSUPP: 95,
};

/** `   -> write: OK 8` or `   -> write: ERR EINVAL(22)`. */
export function resultLine(call: string, result: Returned): string {
  if (result.ok) return `   -> ${call}: OK ${result.value}`;
  return errnoLine(call, result.errno);
}

/** `   -> open: ERR ENOENT(2)` */
export function errnoLine(call: string, errno: string): string {
  return `   -> ${call}: ERR ${errno}(${errnoNumbers[errno] ?? 0})`;
}

/** `   = flags VIABLE CONTAINER_SET`, or the errno. */
export function statusLine(status: GroupStatus | string): string {
  if (typeof status === 'string') return errnoLine('GET_STATUS', status);
  const viable = status.viable ? ' VIABLE' : ' !viable';
  return `   = flags${viable}${status.containerSet ? ' CONTAINER_SET' : ''}`;
}

/** `   = …`, newlines as bars. */
export function valueLine(text: string): string {
  return `   = ${text.replaceAll('\n', '|')}`;
}

const printedKeys: ReadonlySet<string> = new Set([
  'SUBSYSTEM',
  'DRIVER',
  'DEVNAME',
  'PCI_SLOT_NAME',
]);

/** The line of one event, or null for those the program leaves out. */
export function ueventLine(event: Uevent): string | null {
  const what = `${event.action}@${event.devpath}`;
  if (what.includes('/module/') || what.includes('slab')) return null;
  const keys: string[] = [];
  for (const [key, value] of event.env) {
    if (printedKeys.has(key)) keys.push(`${key}=${value}`);
    else if (key === 'MODALIAS') keys.push('MODALIAS=..');
  }
  return `   uevent ${what} | ${[...keys, 'SEQNUM'].join(' ')}`;
}
