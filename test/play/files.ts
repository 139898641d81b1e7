// Files of the played machine as the recording program uses them: open, read, write, links and listings.
import type { Settled } from '../../src/kernel/fs.ts';
import type { Machine } from '../../src/kernel/model/machine.ts';
import { kernfsOrder } from '../../src/kernel/model/name-hash.ts';
import { linkTo, resolve } from '../../src/kernel/model/tree.ts';
import type { Task, VNode } from '../../src/kernel/model/vfs.ts';
import { errnoLine } from './format.ts';
import type { ShellMachine } from './shell.ts';

/** A file that could be opened for one direction, or the errno of open(2). */
export type Opened =
  | { readonly ok: true; readonly node: VNode }
  | { readonly ok: false; readonly errno: string };

/** Bytes that one read(2) of the program takes. */
const readBytes = 4095;

/** open(2) for reading or writing, as root. */
export function openFor(machine: Machine, path: string, how: 'read' | 'write'): Opened {
  const found = resolve(machine.surface.root, path);
  if (!found.ok) return { ok: false, errno: found.errno };
  const { node } = found;
  if (node.kind === 'dir' && how === 'write') return { ok: false, errno: 'EISDIR' };
  if (node.kind === 'file') {
    const able = how === 'write' ? 'write' in node : 'read' in node;
    if (!able) return { ok: false, errno: 'EACCES' };
  }
  return { ok: true, node };
}

/** write(2) on an open file. */
export async function writeTo(node: VNode, data: string, task: Task): Promise<Settled<number>> {
  if (node.kind === 'file' && node.write !== undefined) return node.write(data, task);
  return { kind: 'errno', errno: 'EINVAL' };
}

/** read(2) on an open file, cut where the program prints it as a C string. */
export async function readFrom(node: VNode, task: Task): Promise<Settled<string>> {
  if (node.kind === 'dir') return { kind: 'errno', errno: 'EISDIR' };
  if (node.kind !== 'file' || node.read === undefined) return { kind: 'errno', errno: 'EINVAL' };
  const settled = await node.read(task);
  if (settled.kind === 'errno') return settled;
  const { value } = settled;
  const text = typeof value === 'string' ? value : new TextDecoder('latin1').decode(value);
  return { kind: 'value', value: text.slice(0, readBytes).split('\0')[0] ?? '' };
}

/** The line of `rl`. */
export function linkLine(machine: Machine, path: string): string {
  const found = resolve(machine.surface.root, path, false);
  if (!found.ok) return errnoLine('readlink', found.errno);
  if (found.node.kind !== 'link') return errnoLine('readlink', 'EINVAL');
  return `   = ->${found.node.target.replace(/^.*\//, '')}`;
}

/** The line of `ls`: kernfs lists by hash, a tmpfs newest first. */
export function listLine(machine: Machine, path: string): string {
  const found = resolve(machine.surface.root, path);
  if (!found.ok) return errnoLine('opendir', found.errno);
  if (found.node.kind !== 'dir') return errnoLine('opendir', 'ENOTDIR');
  const names = path.startsWith('/sys') ? kernfsOrder(found.node.list()) : found.node.list();
  return `   =${names.map((name) => ` ${name}`).join('')}`;
}

/** The line of `stat`. */
export function statLine(machine: Machine, path: string): string {
  const found = resolve(machine.surface.root, path);
  if (!found.ok) return errnoLine('stat', found.errno);
  const { node } = found;
  const mode = node.kind === 'file' || node.kind === 'device' ? node.mode : 0o755;
  return `   = mode ${mode.toString(8)}`;
}

/** The machine for the little shell. */
export function shellMachine(machine: Machine): ShellMachine {
  const nodeAt = (path: string, follow = true): VNode | null => {
    const found = resolve(machine.surface.root, path, follow);
    return found.ok ? found.node : null;
  };
  return {
    read: (path) => {
      const node = nodeAt(path);
      if (node?.kind !== 'file' || node.read === undefined) return null;
      const settled = node.read({ pid: 1, state: 'R', onSignal: null });
      if (settled instanceof Promise || settled.kind !== 'value') return null;
      return typeof settled.value === 'string' ? settled.value : null;
    },
    readLink: (path) => {
      const node = nodeAt(path, false);
      return node?.kind === 'link' ? node.target : null;
    },
    list: (path) => {
      const node = nodeAt(path);
      return node?.kind === 'dir' ? node.list() : null;
    },
    link: (path, target) =>
      machine.surface.put(
        path,
        linkTo('/tmp', target, () => nodeAt(target)),
      ),
  };
}
