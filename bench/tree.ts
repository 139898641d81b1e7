// A simulated machine written down as real folders, files and links, so that the real kernel/linux has something
// to read that is as large as wanted. What is written is what the model shows at that moment; nothing moves in it.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirtualClock } from '../src/base/virtual-clock.ts';
import type { KernelFs } from '../src/kernel/fs.ts';
import { KernelModel } from '../src/kernel/model/kernel-model.ts';
import type { MachineSpec } from '../src/kernel/model/spec.ts';

/** The four roots of a tree, as flags of the agent want them. */
export interface TreeRoots {
  readonly sysfs: string;
  readonly proc: string;
  readonly dev: string;
  readonly run: string;
}

/** Writes the machine below `folder` (on tmpfs, as sysfs and proc are in memory). */
export async function writeMachineTree(spec: MachineSpec, folder: string): Promise<TreeRoots> {
  const model = new KernelModel({ spec, clock: new VirtualClock() });
  for (const root of ['/sys', '/proc', '/dev', '/run']) await writeFolder(model, root, folder);
  const at = (name: string): string => join(folder, name);
  return { sysfs: at('sys'), proc: at('proc'), dev: at('dev'), run: at('run') };
}

/** The flags that have an agent read a tree. */
export function treeFlags(roots: TreeRoots): readonly string[] {
  return Object.entries(roots).flatMap(([name, folder]: [string, string]) => [`--${name}`, folder]);
}

async function writeFolder(model: KernelFs, path: string, folder: string): Promise<void> {
  mkdirSync(join(folder, path), { recursive: true });
  const names = await model.list(path);
  if (names.kind !== 'value') return;
  for (const name of names.value) await writeEntry(model, `${path}/${name}`, folder);
}

async function writeEntry(model: KernelFs, path: string, folder: string): Promise<void> {
  const target = await model.readLink(path);
  if (target.kind === 'value') return symlinkSync(target.value, join(folder, path));
  const text = await model.read(path);
  if (text.kind === 'errno' && text.errno === 'EISDIR') return writeFolder(model, path, folder);
  // Files that can only be written, device nodes: there, and empty.
  writeFileSync(join(folder, path), text.kind === 'value' ? text.value : '');
}
