// What the tests of kernel/linux and host share: the machine's clock, folders on disk, and looks at processes.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../../src/base/clock.ts';
import type { Log, LogFields } from '../../../src/base/log.ts';

/** Real time; its timers keep the process alive, as the agent's own do. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return { clear: () => clearTimeout(timer) };
  },
};

/**
 * A folder of its own, removed when the test is over: in memory where the machine has a place for that (a tree of
 * thousands of small files takes seconds on a disk), on disk when programs are to be run from it.
 */
export function scratchFolder(
  t: { after(fn: () => void): void },
  use: 'data' | 'programs' = 'data',
): string {
  const memory = '/dev/shm';
  const base = use === 'data' && existsSync(memory) ? memory : tmpdir();
  const folder = mkdtempSync(join(base, 'wholegroup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a tree is made of: a text or bytes is a file, `link` a symbolic link, an object a folder. */
export type Tree = { readonly [name: string]: Tree | string | Uint8Array | Link };

/** A symbolic link of a tree; its target need not exist. */
export interface Link {
  readonly linkTo: string;
}

/** Text that stands for the link's own name: nothing can be read through such a link (ELOOP). */
const selfLoop = 'self-loop';

/** A symbolic link with this text. */
export function link(linkTo: string): Link {
  return { linkTo };
}

/** Writes `tree` below `folder`. Names may contain slashes; folders are made as needed. */
export function writeTree(folder: string, tree: Tree): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, node] of Object.entries(tree)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const isFolder = typeof node === 'object' && !(node instanceof Uint8Array) && !isLink(node);
    // What is there already is replaced, folders are added to.
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !(there.isDirectory() && isFolder))
      rmSync(path, { recursive: true });
    if (typeof node === 'string' || node instanceof Uint8Array) writeFileSync(path, node);
    else if (isLink(node))
      symlinkSync(node.linkTo === selfLoop ? basename(path) : node.linkTo, path);
    else writeTree(path, node);
  }
}

function isLink(node: Tree | Link): node is Link {
  return 'linkTo' in node && typeof node['linkTo'] === 'string';
}

/** A FIFO: opening it for reading, or for writing, blocks until the other side is opened. */
export function makeFifo(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('mkfifo', [path]);
  return path;
}

/**
 * Lets whoever is blocked opening or reading the FIFO go on: gives it `data` and the end of the file. Waits until
 * somebody does, without ever blocking itself (a non-blocking open for writing is ENXIO until there is a reader).
 */
export async function feed(fifo: string, data = ''): Promise<void> {
  let fd = -1;
  await eventually(`a reader of ${fifo}`, () => {
    try {
      fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
      return true;
    } catch {
      return false;
    }
  });
  if (data !== '') writeSync(fd, data);
  closeSync(fd);
}

/** Lets whoever is, or will be, blocked writing to the FIFO go on: the descriptor of a reader that never blocks. */
export function drain(fifo: string): number {
  return openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** State letter of a process (`S`, `Z`, …), or null when it is gone. */
export function processState(pid: number): string | null {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return null;
  try {
    return readFileSync(path, 'utf8')
      .replace(/^.*\) /s, '')
      .slice(0, 1);
  } catch {
    return null;
  }
}

/** Waits until `ready` holds; throws naming `what` after `limitMs`. */
export async function eventually(
  what: string,
  ready: () => boolean,
  limitMs = 5000,
): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!ready()) {
    if (performance.now() > untilMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A logger that keeps what it was told. */
export function recordingLog(): Log & { readonly events: { event: string; fields: LogFields }[] } {
  const events: { event: string; fields: LogFields }[] = [];
  const keep = (event: string, fields: LogFields = {}): void => {
    events.push({ event, fields });
  };
  return { events, debug: keep, info: keep, warn: keep, error: keep };
}
