// What was asked for on the command line, and where what was prepared lies: handed from the outside of an enclosure to
// what runs within, by the environment.
import { join } from 'node:path';
import { nodePrograms } from '../cluster/harness/cluster.ts';
import { preparedInstall } from '../cluster/harness/product.ts';
import { cacheFolder } from '../kernel/rig/cache.ts';
import { prepareRig, type Rig } from '../kernel/rig/rig.ts';
import { type KernelName, kernelNames } from '../kernel/rig/wanted.ts';
import { type DiskParts, preparedDisk } from './disk.ts';

/** Kernels that pods are judged on: those that the agent runs on, the newest first; and the one with files of devices. */
export const nodeKernels = [
  'newest',
  '6.12',
  '6.1',
  '6.12-cdev',
] as const satisfies readonly KernelName[];

/** An emulated machine is an order of magnitude slower; most of what is waited for is not all computing. */
export const slowness = 4;

/** Names of the environment. */
export const variables = {
  kernels: 'WHOLEGROUP_NODE_KERNELS',
  core: 'WHOLEGROUP_NODE_CORE',
  only: 'WHOLEGROUP_NODE_ONLY',
} as const;

type Tell = (line: string) => void;

/** The argument with which main.ts is run again, enclosed, to make the disk. */
export const makeDiskFlag = '--make-disk';

/** The kernels that were asked for. */
export function askedKernels(): readonly KernelName[] {
  const names = (process.env[variables.kernels] ?? '').split(',');
  return kernelNames.filter((name) => names.includes(name));
}

/** True for a part of that name when no part was named, or a piece of its name was. */
export function isAsked(name: string): boolean {
  const only = process.env[variables.only] ?? '';
  return only === '' || only.split('\n').some((piece) => name.includes(piece));
}

/** Only the core was asked for. */
export function onlyCore(): boolean {
  return process.env[variables.core] === '1';
}

/** The rig with the kernels that were asked for. */
export async function nodeRig(kernels: readonly KernelName[], tell: Tell): Promise<Rig> {
  return await prepareRig(cacheFolder(process.env), kernels, tell);
}

/** The disk with the image of wholegroup as it was made last. */
export async function nodeDisk(rig: Rig, tell: Tell): Promise<string> {
  const { images } = await preparedInstall(tell);
  const parts: DiskParts = { rig, programs: await nodePrograms(tell), images };
  const main = join(import.meta.dirname, 'main.ts');
  return await preparedDisk(parts, [process.execPath, main, makeDiskFlag], tell);
}
