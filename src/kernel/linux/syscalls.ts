// One call to the kernel, made synchronously, with its answer as data: used in process for what cannot block
// and inside a lane (lane-child.ts) for everything else. Nothing here waits, retries or interprets.
import {
  closeSync,
  constants as flags,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import type { FolderLink, Settled } from '../fs.ts';

/** A call that can be sent to a lane. `path` is the real path on this machine. */
export type Call =
  | {
      readonly kind: 'read';
      readonly path: string;
      /** Bytes after which reading may stop; null: the whole file. */
      readonly firstBytes: number | null;
      /** Only lines with this text; null: all of it. */
      readonly linesWith: string | null;
      /**
       * A read that gives less than asked for was the last one: true of sysfs (an attribute is shown once, whole:
       * fs/kernfs/file.c, fs/seq_file.c), not of /proc. Saves a system call for each attribute.
       */
      readonly shortIsEnd: boolean;
    }
  | { readonly kind: 'list' | 'readLink' | 'readLinks' | 'exists'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string; readonly data: string };

/** What a call can answer with. */
export type Answer =
  | Uint8Array
  | readonly string[]
  | readonly FolderLink[]
  | string
  | boolean
  | number;

/** The limit of KernelFs.read, in bytes: larger texts of /sys and /proc are never needed whole. */
const readLimitBytes = 1 << 20;

const chunkBytes = 1 << 16;

/** Where a text is read to before its length is known. Used within one synchronous call only. */
const landing: Buffer = Buffer.allocUnsafeSlow(8192);

function errnoByNumber(): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(constants.errno)) {
    if (!names.has(number)) names.set(number, name);
  }
  return names;
}

/**
 * Symbolic errno of what node:fs threw. libuv calls numbers it does not know "UNKNOWN"; those get their
 * name from the number. A path that cannot be passed to the kernel at all (a NUL inside) is EINVAL.
 */
function errnoOf(thrown: unknown): string {
  const { code, errno } = thrown as { code?: unknown; errno?: unknown };
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  if (typeof errno === 'number' && errno !== 0) {
    const number = Math.abs(errno);
    return errnoByNumber().get(number) ?? `E${number}`;
  }
  if (typeof code === 'string' && code.startsWith('ERR_INVALID_ARG')) return 'EINVAL';
  throw thrown;
}

/** Makes one call and returns when the kernel has answered, however long that takes. */
export function perform(call: Call): Settled<Answer> {
  try {
    const value = performOrThrow(call);
    return value === undefined ? { kind: 'errno', errno: 'EFBIG' } : { kind: 'value', value };
  } catch (thrown) {
    return { kind: 'errno', errno: errnoOf(thrown) };
  }
}

function performOrThrow(call: Call): Answer | undefined {
  switch (call.kind) {
    case 'read':
      return call.linesWith === null ? readWhole(call) : readLines(call.path, call.linesWith);
    case 'list':
      return readdirSync(call.path);
    case 'readLink':
      return readlinkSync(call.path);
    case 'readLinks':
      return readdirSync(call.path).map((name) => linkIn(call.path, name));
    case 'exists':
      // ENOENT and ENOTDIR are the answer "no"; anything else is thrown.
      return statSync(call.path, { throwIfNoEntry: false }) !== undefined;
    case 'write':
      return writeOnce(call.path, call.data);
  }
}

/** One link of a folder that was listed. */
export function linkIn(folder: string, name: string): FolderLink {
  return {
    name,
    link: perform({ kind: 'readLink', path: `${folder}/${name}` }) as Settled<string>,
  };
}

/** Reads to the end; undefined when there is more than the limit. */
function readWhole(call: Call & { readonly kind: 'read' }): Uint8Array | undefined {
  const fd = openSync(call.path, flags.O_RDONLY);
  try {
    const { firstBytes, shortIsEnd } = call;
    let buffer = landing;
    let used = 0;
    for (;;) {
      const wanted = Math.min(firstBytes ?? buffer.length, buffer.length) - used;
      const got = readSync(fd, buffer, used, wanted, null);
      used += got;
      const over = got === 0 || firstBytes !== null || (shortIsEnd && got < wanted);
      if (over && used <= readLimitBytes) return copyOf(buffer, used);
      // One more byte than the limit tells "too much" from "exactly full".
      if (used > readLimitBytes) return undefined;
      if (buffer.length - used < 2048) {
        const larger = Buffer.allocUnsafe(buffer.length * 4);
        buffer.copy(larger, 0, 0, used);
        buffer = larger;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Most texts are a few bytes long: a copy of that length instead of a page for each. */
function copyOf(buffer: Buffer, length: number): Uint8Array {
  const copy = Buffer.allocUnsafe(length);
  buffer.copy(copy, 0, 0, length);
  return copy;
}

/** Reads a file of any length chunk by chunk and keeps the lines that contain `text`. */
function readLines(path: string, text: string): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let kept = '';
    let rest = '';
    for (;;) {
      const got = readSync(fd, chunk, 0, chunk.length, null);
      rest += chunk.toString('latin1', 0, got);
      const end = got === 0 ? rest.length : rest.lastIndexOf('\n') + 1;
      // Most chunks hold no such line: one search of the chunk instead of one of each line.
      if (rest.lastIndexOf(text, end) !== -1) {
        for (const line of rest.slice(0, end).split(/(?<=\n)/)) {
          if (line.includes(text) && kept.length + line.length <= readLimitBytes) kept += line;
        }
      }
      rest = rest.slice(end);
      if (got === 0) return Buffer.from(kept, 'latin1');
    }
  } finally {
    closeSync(fd);
  }
}

/** One write(2) from offset 0, to a file that must exist; nothing is created or truncated. */
function writeOnce(path: string, data: string): number {
  const fd = openSync(path, flags.O_WRONLY);
  try {
    return writeSync(fd, Buffer.from(data, 'utf8'));
  } finally {
    closeSync(fd);
  }
}
