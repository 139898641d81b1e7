// Unpacks packages into folders of the cache: programs as a private prefix with libraries of its own, a kernel as
// its image and the modules that guests load, in their order.
import {
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { runProgram } from './run-program.ts';

async function unpackInto(folder: string, debs: readonly string[], only: string[]): Promise<void> {
  for (const deb of debs) {
    const script = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --wildcards \
      --no-wildcards-match-slash "\${@:3}" 2>/dev/null || [ $# -gt 2 ]`;
    await runProgram('bash', ['-c', script, 'unpack', deb, folder, ...only]);
  }
}

/** A prefix: `usr/` with programs and libraries, `lib` and `lib64` as links into it. */
export async function unpackPrograms(folder: string, debs: readonly string[]): Promise<void> {
  for (const below of ['usr/lib', 'usr/lib64', 'usr/bin', 'usr/sbin']) {
    mkdirSync(join(folder, below), { recursive: true });
  }
  for (const name of ['lib', 'lib64', 'bin', 'sbin'])
    symlinkSync(`usr/${name}`, join(folder, name));
  await unpackInto(folder, debs, []);
  for (const unused of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'var', 'etc']) {
    rmSync(join(folder, unused), { recursive: true, force: true });
  }
}

/** The name under which the kernel knows the module of a file. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

async function contentOf(path: string): Promise<Buffer> {
  if (!/\.(xz|zst)$/.test(path)) return readFileSync(path);
  const [program, flag] = path.endsWith('.xz') ? ['xz', '-dc'] : ['zstd', '-qdc'];
  const plain = path.replace(/\.(xz|zst)$/, '');
  await runProgram('bash', [
    '-c',
    '"$1" "$2" <"$3" >"$4"',
    'plain',
    program ?? '',
    flag ?? '',
    path,
    plain,
  ]);
  return readFileSync(plain);
}

/** Names of the modules that a module says it needs, in its .modinfo. */
export function neededBy(content: Buffer): readonly string[] {
  const at = content.indexOf('\0depends=');
  if (at < 0) return [];
  const end = content.indexOf(0, at + 1);
  const names = content.toString('latin1', at + '\0depends='.length, end);
  return names
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

/** What a kernel is to have beside its image. */
export interface WantedModules {
  readonly names: readonly string[];
  /** Files that take the place of modules of the same name. */
  readonly built: readonly string[];
}

/**
 * A kernel: `vmlinuz`, `release`, `modules/NAME.ko` for all that are wanted and what they need, and `modules/order`:
 * names in an order in which each can be loaded. What is built in, or is not in this kernel, is left out.
 */
export async function unpackKernel(
  folder: string,
  debs: readonly string[],
  { names, built }: WantedModules,
): Promise<void> {
  const whole = join(folder, 'whole');
  mkdirSync(join(folder, 'modules'), { recursive: true });
  mkdirSync(whole);
  await unpackInto(whole, debs, []);
  const [image] = globSync('{boot/vmlinuz-*,usr/lib/modules/*/vmlinuz}', { cwd: whole });
  const [release] = globSync('{lib,usr/lib}/modules/*', { cwd: whole });
  if (image === undefined || release === undefined) {
    throw new Error(`no kernel image in ${debs.join(', ')}`);
  }
  copyFileSync(join(whole, image), join(folder, 'vmlinuz'));
  writeFileSync(join(folder, 'release'), basename(release));
  const ofPackage = globSync('**/*.ko*', { cwd: whole }).map((path) => join(whole, path));
  const paths = new Map([...ofPackage, ...built].map((path) => [moduleName(path), path]));
  const order: string[] = [];
  const add = async (name: string): Promise<void> => {
    const path = paths.get(name);
    if (path === undefined || order.includes(name)) return;
    const content = await contentOf(path);
    for (const other of neededBy(content)) await add(other);
    order.push(name);
    writeFileSync(join(folder, 'modules', `${name}.ko`), content);
  };
  for (const name of names) await add(name);
  writeFileSync(join(folder, 'modules', 'order'), `${order.join('\n')}\n`);
  rmSync(whole, { recursive: true });
}
