// A private apt: the suites that somebody wants (the rig, when nobody says), on the mirror that the sources of this
// machine name, with lists and cache of its own. Touches nothing of its apt; refuses where no source is a Debian mirror.
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runProgram } from './run-program.ts';
import { suites } from './wanted.ts';

/** A file of the archive, as apt describes it. */
export interface ArchiveFile {
  readonly file: string;
  readonly bytes: number;
  /** `SHA256:…` */
  readonly hash: string;
}

/** Why the rig cannot run on this machine. */
export class Unavailable extends Error {}

/** Addresses that the sources of this machine name, of the main archive and of the security archive. */
function mirrors(): { readonly main: string; readonly security: string | null } {
  const files = globSync('/etc/apt/{sources.list,sources.list.d/*.{list,sources}}');
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  const addresses = lines
    .filter((line) => /^\s*(deb|URIs:)\s/.test(line))
    .flatMap((line) => line.match(/[a-z+]+:\/\/[^\s\]]+/g) ?? [])
    .map((address) => address.replace(/\/+$/, ''));
  const main = addresses.find((address) => address.endsWith('/debian'));
  if (main === undefined) {
    throw new Unavailable("no source of this machine's apt names a Debian mirror (…/debian)");
  }
  return { main, security: addresses.find((each) => each.endsWith('/debian-security')) ?? null };
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

function source(address: string, suite: string): string {
  const lines = [
    ...['Types: deb', `URIs: ${address}`, `Suites: ${suite}`, 'Components: main'],
    'Targets: Packages',
  ];
  if (existsSync(keyring)) lines.push(`Signed-By: ${keyring}`);
  return `${lines.join('\n')}\n`;
}

/**
 * The machine's own settings (a proxy, say), without those that images for containers have: they forbid a cache, so
 * that every call reads all lists anew, and they empty folders of the machine.
 */
function copySettings(to: string): void {
  mkdirSync(to, { recursive: true });
  for (const file of globSync('/etc/apt/apt.conf.d/*')) {
    const text = readFileSync(file, 'utf8');
    if (!/pkgcache|Post-Invoke/.test(text)) writeFileSync(join(to, basename(file)), text);
  }
}

/** Suites of the main archive and of the security archive. */
export interface Suites {
  readonly main: readonly string[];
  readonly security: readonly string[];
}

/** apt with a configuration of its own in one folder. */
export class PrivateApt {
  readonly #folder: string;
  readonly #suites: Suites;
  readonly #env: Readonly<Record<string, string>>;

  constructor(folder: string, wanted: Suites = suites) {
    this.#folder = folder;
    this.#suites = wanted;
    this.#env = { APT_CONFIG: join(folder, 'apt.conf') };
  }

  /** Where downloaded packages lie. */
  get archives(): string {
    return join(this.#folder, 'cache', 'archives');
  }

  /** Writes the configuration and fetches the lists of packages. A suite that the mirror has not is left out. */
  async update(): Promise<void> {
    const { main, security } = mirrors();
    for (const below of ['sources.d', 'lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(this.#folder, below), { recursive: true });
    }
    const every = [
      ...this.#suites.main.map((suite) => ({ suite, address: main })),
      ...(security === null
        ? []
        : this.#suites.security.map((suite) => ({ suite, address: security }))),
    ];
    for (const { suite, address } of every) {
      writeFileSync(join(this.#folder, 'sources.d', `${suite}.sources`), source(address, suite));
    }
    writeFileSync(join(this.#folder, 'status'), '');
    copySettings(join(this.#folder, 'parts'));
    writeFileSync(join(this.#folder, 'apt.conf'), this.#configuration());
    // 100: at least one suite is not there. Which packages can be had is asked afterwards.
    await runProgram('apt-get', ['update', '-qq'], { env: this.#env, allow: [100] });
  }

  #configuration(): string {
    const settings = {
      'Dir::Etc::sourcelist': '/dev/null',
      'Dir::Etc::sourceparts': join(this.#folder, 'sources.d'),
      'Dir::Etc::preferences': '/dev/null',
      'Dir::Etc::preferencesparts': '/dev/null',
      'Dir::State::lists': join(this.#folder, 'lists'),
      'Dir::State::status': join(this.#folder, 'status'),
      'Dir::Cache': join(this.#folder, 'cache'),
      'Dir::Etc::parts': join(this.#folder, 'parts'),
      'APT::Sandbox::User': 'root',
      'APT::Install-Recommends': 'false',
      'APT::Get::AllowUnauthenticated': 'false',
      'Acquire::Check-Valid-Until': 'false',
      'Acquire::Retries': '3',
      'Acquire::ForceHash': 'SHA256',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
    return `${lines.join('\n')}\n`;
  }

  /** Versions of a package, highest first. */
  async versions(name: string): Promise<readonly string[]> {
    const table = await runProgram('apt-cache', ['madison', name], { env: this.#env });
    return table
      .split('\n')
      .map((line) => line.split('|').map((part) => part.trim()))
      .filter(([, , from]) => from?.endsWith('Packages') === true)
      .map(([, version = '']) => version);
  }

  /** What a package of that version depends on. */
  async depends(name: string, version: string): Promise<string> {
    const text = await runProgram('apt-cache', ['show', `${name}=${version}`], { env: this.#env });
    return /^Depends: (.*)$/m.exec(text)?.[1] ?? '';
  }

  /** The files of packages, without what they depend on. */
  async filesAlone(names: readonly string[]): Promise<readonly ArchiveFile[]> {
    return this.#printed(['download', ...names]);
  }

  /** The files of packages of a suite and of everything they depend on. */
  async filesOf(suite: string, names: readonly string[]): Promise<readonly ArchiveFile[]> {
    return this.#printed(['install', '-y', '-t', suite, ...names]);
  }

  /** What apt would fetch. It does not name what it has already, so it is asked where there is nothing. */
  async #printed(args: readonly string[]): Promise<readonly ArchiveFile[]> {
    const nothing = join(this.#folder, 'nothing');
    mkdirSync(join(nothing, 'partial'), { recursive: true });
    const where = ['-o', `Dir::Cache::archives=${nothing}`, '--print-uris', '-qq'];
    const text = await runProgram('apt-get', [...where, ...args], { env: this.#env, cwd: nothing });
    const lines = text.matchAll(/^'[^']+' (\S+) (\d+) (\S+)$/gm);
    return [...lines].map(([, file = '', bytes = '', hash = '']) => {
      return { file, bytes: Number(bytes), hash };
    });
  }

  /** Fetches packages into the archives; what is there is kept, what is half there is gone on with. */
  async download(names: readonly string[]): Promise<void> {
    const args = ['download', '-qq', ...names];
    await runProgram('apt-get', args, { env: this.#env, cwd: this.archives });
  }

  /** The same for packages of a suite and what they depend on. */
  async downloadAll(suite: string, names: readonly string[]): Promise<void> {
    const args = ['install', '--download-only', '-qq', '-y', '-t', suite, ...names];
    await runProgram('apt-get', args, { env: this.#env });
  }

  /** Throws unless the file is there with the size and the hash that apt's signed lists give. */
  check({ file, bytes, hash }: ArchiveFile): string {
    const path = join(this.archives, file);
    if (!existsSync(path) || statSync(path).size !== bytes) {
      throw new Error(`${path} is not there whole: ${bytes} bytes expected`);
    }
    const [kind = '', expected = ''] = hash.split(':');
    const found = createHash(kind.toLowerCase()).update(readFileSync(path)).digest('hex');
    if (found !== expected) throw new Error(`${path} has ${kind} ${found}, expected ${expected}`);
    return path;
  }
}
