// The part of the image that is not ours: Debian's libraries, and the program that prints uevents, as files. Packages are
// fetched by a private apt from the mirror that this machine's sources name, and checked against its signed lists; nothing
// is installed.
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type ArchiveFile, PrivateApt } from '../../test/kernel/rig/apt.ts';
import { keyOf } from '../../test/kernel/rig/cache.ts';
import { runProgram } from '../../test/kernel/rig/run-program.ts';
import { needsOf } from './elf.ts';
import type { Entry } from './tar.ts';

/** Debian 13. */
const release = 'trixie';
const suites = { main: [release], security: [`${release}-security`] };
/** Who has the libraries, their copyright notices (gcc-14-base), and the name of the system (base-files). */
const packages = [
  ...['base-files', 'gcc-14-base', 'libatomic1', 'libc6', 'libgcc-s1', 'libstdc++6'],
  // The program, and what the loader looks for before it starts; nothing of udev runs or is configured.
  ...['udev', 'libsystemd-shared', 'libacl1', 'libaudit1', 'libblkid1', 'libcap-ng0', 'libcap2'],
  ...['libcrypt1', 'libmount1', 'libpam0g', 'libpcre2-8-0', 'libseccomp2', 'libselinux1'],
  ...['libssl3t64', 'libzstd1', 'zlib1g'],
];
/** Prints uevents of the kernel: `src/kernel/linux/hints.ts` listens to it. */
const uevents = 'usr/bin/udevadm';
const askAgainAfterMs = 7 * 24 * 3_600_000;

/** A package as Debian describes it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** SHA-256 of the .deb. */
  readonly sha256: string;
  /** The paragraph of its control file. */
  readonly control: string;
  /** Names of licences in the notice of its source package, as Debian spells them; none: the notice is free text. */
  readonly licences: readonly string[];
}

/** What is taken from Debian. */
export interface Base {
  readonly entries: readonly Entry[];
  readonly packages: readonly DebianPackage[];
}

function fileOf(path: string, content: Buffer): Entry {
  return { kind: 'file', path, mode: 0o644, content };
}

/** The .deb files: those of the last answer of the mirror, or of one that is a week younger. */
async function fetchPackages(
  cache: string,
  say: (line: string) => void,
): Promise<readonly { readonly path: string; readonly sha256: string }[]> {
  const apt = new PrivateApt(join(cache, 'apt'), suites);
  const known = join(cache, `found-${keyOf(packages)}.json`);
  const read = (): { atMs: number; files: readonly ArchiveFile[] } =>
    JSON.parse(readFileSync(known, 'utf8'));
  const whole = ({ file }: ArchiveFile): boolean => existsSync(join(apt.archives, file));
  const fresh =
    existsSync(known) && Date.now() - read().atMs < askAgainAfterMs && read().files.every(whole);
  if (!fresh) {
    say(`asking the mirror for ${packages.join(', ')} of ${release}`);
    mkdirSync(cache, { recursive: true });
    await apt.update();
    const files = await apt.filesAlone(packages);
    await apt.download(packages);
    writeFileSync(known, JSON.stringify({ atMs: Date.now(), files }));
  }
  return read().files.map((file) => ({
    path: apt.check(file),
    sha256: file.hash.replace('SHA256:', ''),
  }));
}

/** https://www.debian.org/doc/packaging-manuals/copyright-format/1.0: each licence has a field of its own. */
function licencesIn(notice: string): readonly string[] {
  if (!notice.startsWith('Format:')) return [];
  const names = [...notice.matchAll(/^License: *(.+)$/gm)].map(([, name = '']) => name.trim());
  return [...new Set(names)].sort();
}

/** What the package in a file is, after it has been unpacked in `folder`. */
async function describe(path: string, sha256: string, folder: string): Promise<DebianPackage> {
  const control = await runProgram('dpkg-deb', ['--field', path]);
  const field = (name: string): string =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1] ?? '';
  const [name, version, architecture] = ['Package', 'Version', 'Architecture'].map(field);
  const notice = readFileSync(join(folder, `usr/share/doc/${name}/copyright`), 'utf8');
  return {
    ...{ name: name ?? '', version: version ?? '', architecture: architecture ?? '' },
    ...{ sha256, control: control.trim(), licences: licencesIn(notice) },
  };
}

/** Files of unpacked libraries by name, links followed. */
function librariesBelow(folder: string): ReadonlyMap<string, Buffer> {
  const paths = globSync('usr/lib{,64}/{,*-linux-gnu/{,systemd/}}*.so*', { cwd: folder }).sort();
  return new Map(
    paths
      .filter((path) => existsSync(join(folder, path)))
      .map((path) => [basename(path), readFileSync(join(folder, path))]),
  );
}

/** All libraries that programs need, and those that these need. Throws when the packages lack one. */
function closure(
  programs: readonly Buffer[],
  available: ReadonlyMap<string, Buffer>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...programs];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const name of needsOf(file).libraries) {
      if (found.has(name)) continue;
      const library = available.get(name);
      if (library === undefined) throw new Error(`${name} is in none of ${packages.join(', ')}`);
      found.add(name);
      open.push(library);
    }
  }
  return found;
}

function programEntries(program: Buffer, folder: string): readonly Entry[] {
  const available = librariesBelow(folder);
  const { interpreter } = needsOf(program);
  const loader = available.get(basename(interpreter ?? ''));
  if (interpreter === null || loader === undefined) {
    throw new Error(`no package has the loader ${interpreter}`);
  }
  // Where the loader of every architecture looks without a cache of names.
  const listener = readFileSync(join(folder, uevents));
  const needed = [...closure([program, listener], available)];
  const names = needed.filter((name) => name !== basename(interpreter));
  return [
    { kind: 'file', path: interpreter.slice(1), mode: 0o755, content: loader },
    { kind: 'file', path: uevents, mode: 0o755, content: listener },
    ...names.map((name) => fileOf(`usr/lib/${name}`, available.get(name) ?? Buffer.alloc(0))),
  ];
}

/** What scanners look for (distroless has the same), and the notices that the licences ask for. */
function descriptions(folder: string, described: readonly DebianPackage[]): readonly Entry[] {
  const notices = globSync('usr/share/doc/*/copyright', { cwd: folder })
    .filter((path) => lstatSync(join(folder, path)).isFile())
    .map((path) => fileOf(path, readFileSync(join(folder, path))));
  const paragraphs = described.map(({ name, control }) =>
    fileOf(`var/lib/dpkg/status.d/${name}`, Buffer.from(`${control}\n`)),
  );
  const system = readFileSync(join(folder, 'usr/lib/os-release'));
  return [...notices, ...paragraphs, fileOf('etc/os-release', system)];
}

/**
 * udevadm, and the libraries that it and `program` need, with their descriptions. Throws Unavailable where no mirror can be
 * had.
 */
export async function debianBase(
  program: Buffer,
  cache: string,
  say: (line: string) => void,
): Promise<Base> {
  const files = await fetchPackages(cache, say);
  const described: DebianPackage[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-image-'));
  try {
    for (const { path } of files) {
      await runProgram('dpkg-deb', ['--extract', path, folder]);
    }
    for (const { path, sha256 } of files) described.push(await describe(path, sha256, folder));
    const entries = [...programEntries(program, folder), ...descriptions(folder, described)];
    return { entries, packages: described };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
