// What the suites share: the rig as main.ts prepared it, and what was asked for.
import { cacheFolder } from '../rig/cache.ts';
import { prepareRig, type KernelTree, type Rig } from '../rig/rig.ts';
import { type KernelName, kernelNames } from '../rig/wanted.ts';

/** Names of the environment by which main.ts tells the suites what was asked for. */
export const asked = {
  core: 'WHOLEGROUP_KERNEL_CORE',
  everywhere: 'WHOLEGROUP_KERNEL_EVERYWHERE',
  kernels: 'WHOLEGROUP_KERNELS',
  suites: 'WHOLEGROUP_KERNEL_SUITES',
  random: 'WHOLEGROUP_KERNEL_RANDOM',
  seed: 'WHOLEGROUP_KERNEL_SEED',
  guests: 'WHOLEGROUP_KERNEL_GUESTS',
} as const;

/** Random scripts for each kernel. */
export function askedScripts(): number {
  return Number(process.env[asked.random]);
}

/** The first of the seeds. */
export function askedSeed(): number {
  return Number(process.env[asked.seed]);
}

/** Guests side by side. */
export const sideBySide = Math.max(1, Number(process.env[asked.guests] ?? '2'));

/** Only the core was asked for. */
export const onlyCore = process.env[asked.core] === '1';

/** What is played on one kernel only is to be played on every kernel. */
export const everywhere = process.env[asked.everywhere] === '1';

/** Names of the suites that were asked for. */
export const askedSuites: readonly string[] = (process.env[asked.suites] ?? '').split(',');

/** Kernels that were asked for: all of them without a choice. */
export function askedKernels(): readonly KernelName[] {
  const names = (process.env[asked.kernels] ?? '').split(',');
  const chosen = kernelNames.filter((name) => names.includes(name));
  return chosen.length === 0 ? kernelNames : chosen;
}

/** The rig, from the cache. */
export function suiteRig(): Promise<Rig> {
  return prepareRig(cacheFolder(process.env), askedKernels(), (line) => console.error(line));
}

/** The kernel of that name, or why there is none. */
export function kernelOf(rig: Rig, name: KernelName): KernelTree | string {
  const found = rig.kernels.find((kernel) => kernel.name === name);
  if (found !== undefined) return found;
  return rig.missing.get(name) ?? 'not asked for';
}
