// The rig: everything a guest is made of, fetched and built into the cache. Says what is missing where it cannot be.
import { existsSync, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { Unavailable } from './apt.ts';
import { cached, keyOf } from './cache.ts';
import { agentModules, transcriptModules } from './modules.ts';
import { fetchPart, findPackages, partKey, type Found } from './packages.ts';
import { runProgram } from './run-program.ts';
import { unpackKernel, unpackPrograms } from './unpack.ts';
import { type KernelName, kernelNames, type ProgramName } from './wanted.ts';
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

async function kernelTree(
  { cache, apt, found, say }: Making,
  name: KernelName,
): Promise<KernelTree | null> {
  const part = found.kernels[name];
  if (part === undefined) return null;
  const modules = [...new Set([...transcriptModules, ...agentModules])];
  const key = `kernel-${name}-${keyOf([partKey(part), treeForm, ...modules])}`;
  const folder = await cached(cache, key, async (fresh) => {
    const debs = await fetchPart(apt, part, say);
    say(`unpacking ${basename(debs[0] ?? '')}`);
    await unpackKernel(fresh, debs, modules);
  });
  return { name, release: readFileSync(join(folder, 'release'), 'utf8'), folder };
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
    const tree = await kernelTree(making, name);
    if (tree === null) missing.set(name, 'no suite of the mirror has a kernel of that version');
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
