// The rig: everything a guest is made of, fetched and built into the cache. Says what is missing where it cannot be.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { Unavailable } from './apt.ts';
import { cached, keyOf } from './cache.ts';
import { agentModules, transcriptModules } from './modules.ts';
import { fetchPart, findPackages, type Found, type Part, partKey } from './packages.ts';
import { runProgram } from './run-program.ts';
import { unpackKernel, unpackPrograms } from './unpack.ts';
import { buildVfio } from './vfio-build.ts';
import { type KernelName, kernelNames, type ProgramName, wantedKernels } from './wanted.ts';
import type { PrivateApt } from './apt.ts';

/** A kernel in the cache. */
export interface KernelTree {
  readonly name: KernelName;
  readonly release: string;
  readonly folder: string;
}

/** What guests are made of. */
export interface Rig {
  readonly cache: string;
  readonly kernels: readonly KernelTree[];
  /** Why a kernel is not among them. */
  readonly missing: ReadonlyMap<KernelName, string>;
  /** Prefix with QEMU, its firmware, busybox, and the libraries that Node needs. */
  readonly qemu: string;
  /** Prefix with the QEMU of the recorded transcripts. */
  readonly recorder: string;
  /** Prefix with tools for disks and networks. */
  readonly tools: string;
  /** Folder with the C programs that run inside. */
  readonly programs: string;
}

/** Changes when a tree is laid out otherwise. */
const treeForm = '2';
/** Changes when modules are built otherwise. */
const buildForm = '1';
const hostPrograms = ['apt-get', 'apt-cache', 'dpkg-deb', 'tar', 'bash', 'xz', 'gcc'];
const guestFolder = join(import.meta.dirname, '..', 'guest');
const guestPrograms = ['player', 'vfio-user'];

function missingPrograms(): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return hostPrograms.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
}

interface Making {
  readonly cache: string;
  readonly apt: PrivateApt;
  readonly found: Found;
  readonly say: (line: string) => void;
}

/** Builds VFIO in `work`; its modules. */
async function buildFrom(
  { apt, say }: Making,
  sources: Part,
  work: string,
): Promise<readonly string[]> {
  const debs = await fetchPart(apt, sources, say);
  say(`building VFIO with iommufd from ${sources.packages.at(-1)}`);
  return buildVfio(work, debs);
}

async function kernelTree(making: Making, name: KernelName): Promise<KernelTree | null> {
  const { cache, apt, found, say } = making;
  const part = found.kernels[name];
  if (part === undefined) return null;
  const modules = [...new Set([...transcriptModules, ...agentModules])];
  const built = part.sources === null ? [] : [partKey(part.sources), buildForm];
  const key = `kernel-${name}-${keyOf([partKey(part), treeForm, ...modules, ...built])}`;
  const folder = await cached(cache, key, async (fresh) => {
    const debs = await fetchPart(apt, part, say);
    const work = join(fresh, 'work');
    const built = part.sources === null ? [] : await buildFrom(making, part.sources, work);
    say(`unpacking ${basename(debs[0] ?? '')}`);
    await unpackKernel(fresh, debs, { names: modules, built });
    rmSync(work, { recursive: true, force: true });
  });
  return { name, release: readFileSync(join(folder, 'release'), 'utf8'), folder };
}

/** A kernel, or why there is none. */
async function treeOrWhyNot(making: Making, name: KernelName): Promise<KernelTree | string> {
  const isBuilt = wantedKernels.some((each) => each.name === name && each.source !== undefined);
  try {
    const tree = await kernelTree(making, name);
    return tree ?? 'no suite of the mirror has a kernel of that version';
  } catch (thrown) {
    // It wants more of the machine than guests do; without it they run all the same.
    if (!isBuilt) throw thrown;
    return `its modules cannot be built here: ${String(thrown)}`;
  }
}

async function programs({ cache, apt, found, say }: Making, which: ProgramName): Promise<string> {
  const part = found.programs[which];
  return cached(cache, `${which}-${partKey(part)}`, async (fresh) => {
    const debs = await fetchPart(apt, part, say);
    say(`unpacking ${debs.length} packages of ${which}`);
    await unpackPrograms(fresh, debs);
  });
}

/** The C programs of guests, static, so that they run in any of them. */
async function compiled(cache: string): Promise<string> {
  const sources = guestPrograms.map((name) => join(guestFolder, `${name}.c`));
  const key = keyOf(sources.map((source) => readFileSync(source, 'utf8')));
  return cached(cache, `programs-${key}`, async (fresh) => {
    for (const source of sources) {
      const to = join(fresh, basename(source, '.c'));
      await runProgram('gcc', ['-static', '-O1', '-Wall', '-Wextra', '-o', to, source]);
    }
  });
}

/** Fetches, checks and builds what is not in the cache. Throws Unavailable where the rig cannot run. */
export async function prepareRig(
  cache: string,
  wanted: readonly KernelName[],
  say: (line: string) => void,
): Promise<Rig> {
  if (process.arch !== 'x64' || process.platform !== 'linux') {
    throw new Unavailable(
      `guests are x86-64 Linux machines; this is ${process.platform} ${process.arch}`,
    );
  }
  const lacking = missingPrograms();
  if (lacking.length > 0) {
    throw new Unavailable(`programs that are not installed here: ${lacking.join(', ')}`);
  }
  const making = { cache, say, ...(await findPackages(cache, say)) };
  const kernels: KernelTree[] = [];
  const missing = new Map<KernelName, string>();
  for (const name of kernelNames.filter((each) => wanted.includes(each))) {
    const tree = await treeOrWhyNot(making, name);
    if (typeof tree === 'string') missing.set(name, tree);
    else kernels.push(tree);
  }
  return {
    cache,
    kernels,
    missing,
    qemu: await programs(making, 'qemu'),
    recorder: await programs(making, 'recorder'),
    tools: await programs(making, 'tools'),
    programs: await compiled(cache),
  };
}
