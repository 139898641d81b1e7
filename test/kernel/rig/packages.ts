// Which files of the archive the rig needs today. The answer is kept for a week, so that a warm run asks no mirror
// and runs where there is none; what it names is fetched once, and checked.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrivateApt, Unavailable, type ArchiveFile } from './apt.ts';
import { keyOf } from './cache.ts';
import {
  type KernelName,
  type ProgramName,
  type WantedKernel,
  wantedKernels,
  wantedPrograms,
} from './wanted.ts';

/** The packages of one part: their names for apt, and the files these come to. */
export interface Part {
  readonly packages: readonly string[];
  /** Null: without what they depend on, from wherever their version is. */
  readonly suite: string | null;
  readonly files: readonly ArchiveFile[];
}

/** The packages of a kernel. */
export interface KernelPart extends Part {
  /** Its source and headers, where modules are to be built from them. */
  readonly sources: Part | null;
}

/** Everything that was found. A kernel that no suite has is not in it. */
export interface Found {
  readonly atMs: number;
  readonly kernels: Readonly<Partial<Record<KernelName, KernelPart>>>;
  readonly programs: Readonly<Record<ProgramName, Part>>;
}

const keptForMs = 7 * 24 * 3_600_000;

/** Changes with the files of a part. */
export function partKey({ files }: Part): string {
  return keyOf(files.map(({ file, hash }) => `${file} ${hash}`));
}

async function partAlone(apt: PrivateApt, packages: readonly string[]): Promise<Part> {
  return { packages, suite: null, files: await apt.filesAlone(packages) };
}

/** What modules for a kernel of that image and version are built from. */
async function sourcesPart(
  apt: PrivateApt,
  image: string,
  from: { readonly source: string; readonly version: string },
): Promise<Part> {
  const headers = image.replace('linux-image-', 'linux-headers-');
  const depends = await apt.depends(headers, from.version);
  const below = depends.match(/linux-(?:headers-[^ ,]+-common|kbuild-[^ ,]+)/g) ?? [];
  return partAlone(apt, [headers, ...below, `${from.source}=${from.version}`]);
}

/** The image package of a kernel, and what it is split into in newer suites. */
async function kernelPart(apt: PrivateApt, wanted: WantedKernel): Promise<KernelPart | null> {
  const { version, image: meta = 'linux-image-amd64', source } = wanted;
  const all = await apt.versions(meta);
  const [highest] = all.filter((each) => each.startsWith(version));
  if (highest === undefined) return null;
  const depends = await apt.depends(meta, highest);
  const image = /linux-image-[^ ]+-amd64/.exec(depends)?.[0];
  if (image === undefined) return null;
  const below = await apt.depends(image, highest);
  const split = below.match(/linux-(?:binary|modules)-[^ ]+/g) ?? [];
  const part = await partAlone(apt, [image, ...split]);
  if (source === undefined) return { ...part, sources: null };
  return { ...part, sources: await sourcesPart(apt, image, { source, version: highest }) };
}

async function look(apt: PrivateApt): Promise<Found> {
  const kernels: Partial<Record<KernelName, KernelPart>> = {};
  for (const wanted of wantedKernels) {
    const part = await kernelPart(apt, wanted);
    if (part !== null) kernels[wanted.name] = part;
  }
  const part = async (name: ProgramName): Promise<Part> => {
    const { suite, packages } = wantedPrograms[name];
    return { packages, suite, files: await apt.filesOf(suite, packages) };
  };
  const programs = {
    qemu: await part('qemu'),
    recorder: await part('recorder'),
    tools: await part('tools'),
  };
  return { atMs: Date.now(), kernels, programs };
}

/** Asks the mirror, or takes the answer of the last week. Throws Unavailable where neither can be had. */
export async function findPackages(
  cache: string,
  say: (line: string) => void,
): Promise<{ readonly apt: PrivateApt; readonly found: Found }> {
  const apt = new PrivateApt(join(cache, 'apt'));
  mkdirSync(cache, { recursive: true });
  const wanted = keyOf([JSON.stringify([wantedKernels, wantedPrograms])]);
  const file = join(cache, `found-${wanted}.json`);
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Found) : null;
  if (known !== null && Date.now() - known.atMs < keptForMs) return { apt, found: known };
  say('asking the mirror for kernels and QEMU');
  try {
    await apt.update();
    const found = await look(apt);
    writeFileSync(file, JSON.stringify(found, null, 2));
    return { apt, found };
  } catch (thrown) {
    if (known === null)
      throw thrown instanceof Unavailable ? thrown : new Unavailable(String(thrown));
    say(`the mirror does not answer; using what was found ${new Date(known.atMs).toISOString()}`);
    return { apt, found: known };
  }
}

const mebi = 1024 * 1024;

/** Fetches the files of a part that are not there yet; their paths, each checked against apt's signed lists. */
export async function fetchPart(
  apt: PrivateApt,
  part: Part,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const missing = part.files.filter(({ file }) => !existsSync(join(apt.archives, file)));
  if (missing.length > 0) {
    const bytes = missing.reduce((sum, file) => sum + file.bytes, 0);
    say(`fetching ${part.packages[0]}: ${missing.length} packages, ${Math.ceil(bytes / mebi)} MiB`);
    if (part.suite === null) await apt.download(part.packages);
    else await apt.downloadAll(part.suite, part.packages);
  }
  return part.files.map((file) => apt.check(file));
}
