// The disk that a node in a guest lives on: an ext4 image with everything on it, images already unpacked. Made once for
// each version of its parts, in an enclosure, where a containerd can run beside the machine's own.
import { createHash } from 'node:crypto';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlainProcess } from '../api/support/plain-process.ts';
import { enclosingRun, runEnclosed } from '../cluster/harness/enclosure.ts';
import type { NodePrograms } from '../cluster/harness/node.ts';
import { run, succeed } from '../cluster/harness/run.ts';
import { cached, keyOf } from '../kernel/rig/cache.ts';
import type { Rig } from '../kernel/rig/rig.ts';
import { placeFiles, rootFiles, rootVersion } from './node-root.ts';
import { writePodImage } from './pod-image.ts';

/** What a disk is made of. */
export interface DiskParts {
  readonly rig: Rig;
  readonly programs: NodePrograms;
  /** Archives of images, besides that of the pods. */
  readonly images: readonly string[];
}

interface DiskOrder {
  readonly parts: DiskParts;
  readonly to: string;
}

/** The label by which the guest finds it. */
export const diskLabel = 'wholegroup-node';

const form = '1';
const diskSize = '4G';
const prefix = 'node-disk';
const image = 'disk.img';

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Runs a program of the rig's tools, with their own libraries. */
async function useTool(rig: Rig, name: string, args: readonly string[]): Promise<void> {
  const libraries = join(rig.tools, 'usr/lib/x86_64-linux-gnu');
  const program = ['--library-path', libraries, join(rig.tools, 'usr/sbin', name)];
  await succeed(join(libraries, 'ld-linux-x86-64.so.2'), [...program, ...args]);
}

/** Copies a folder of a disk, whose guest has ended, to a folder of this machine that is there. */
export async function readDisk(rig: Rig, disk: string, from: string, to: string): Promise<void> {
  await useTool(rig, 'debugfs', ['-R', `rdump ${from} ${to}`, disk]);
}

/** A copy of a disk for one guest. */
export async function copyDisk(disk: string, to: string): Promise<void> {
  await succeed('cp', ['--sparse=always', disk, to]);
}

/** The path of the image in the cache, if need be made now: `again` runs this program anew with an argument, enclosed. */
export async function preparedDisk(
  parts: DiskParts,
  again: readonly string[],
  tell: (line: string) => void,
): Promise<string> {
  const { rig, programs, images } = parts;
  const version = [form, rootVersion(rig, programs), ...images.map(digest)];
  const name = `${prefix}-${keyOf(version)}`;
  const folder = await cached(rig.cache, name, async (fresh) => {
    // They are large, and nobody goes back to one.
    const others = globSync(`${prefix}-*`, { cwd: rig.cache });
    for (const old of others.filter((each) => !each.startsWith(name)))
      rmSync(join(rig.cache, old), { recursive: true });
    const startedMs = performance.now();
    const order = join(fresh, 'order.json');
    const wanted: DiskOrder = { parts, to: join(fresh, image) };
    writeFileSync(order, JSON.stringify(wanted));
    const status = await runEnclosed([...again, order]);
    rmSync(order);
    if (status !== 0) throw new Error(`the disk was not made: status ${status}`);
    tell(`disk: made in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  });
  return join(folder, image);
}

const usedPlugins = [
  ...['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime'],
  ...['io.containerd.nri.v1.nri', 'io.containerd.podsandbox.controller.v1.podsandbox'],
];

/** Imports images by a containerd that runs for this alone, into the folder that the guest's own will have. */
async function importImages(store: string, images: readonly string[]): Promise<void> {
  const own = mkdtempSync(join(tmpdir(), 'containerd-'));
  const socket = join(own, 'containerd.sock');
  const unused = usedPlugins.map((name) => `"${name}"`).join(', ');
  const settings = `version = 3
root = "${store}"
state = "${join(own, 'state')}"
disabled_plugins = [${unused}]
[grpc]
  address = "${socket}"
`;
  writeFileSync(join(own, 'config.toml'), settings);
  const containerd = new PlainProcess({
    program: 'containerd',
    args: ['-c', join(own, 'config.toml')],
    logFile: join(own, 'log'),
  });
  const ctr = ['-a', socket, '-n', 'k8s.io'];
  const answers = async (): Promise<boolean> =>
    (await run('ctr', [...ctr, 'version'])).status === 0;
  await containerd.until(answers, 'containerd');
  for (const archive of images) await succeed('ctr', [...ctr, 'images', 'import', archive]);
  await containerd.stop();
  rmSync(own, { recursive: true });
}

/** Does something in a folder in memory, where containerd can stack its overlays; nothing is left of it. */
async function inMemory(what: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-disk-'));
  await succeed('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder]);
  try {
    await what(folder);
  } finally {
    await succeed('umount', ['--lazy', folder]);
    rmdirSync(folder);
  }
}

/** Makes the image in a folder and copies it. */
async function makeIn(folder: string, { parts, to }: DiskOrder): Promise<void> {
  const { rig, programs, images } = parts;
  const root = join(folder, 'root');
  mkdirSync(root);
  placeFiles(rootFiles(rig, programs), root);
  const all = [...images, writePodImage(rig, folder)];
  await importImages(join(root, 'var/lib/containerd'), all);
  const fresh = join(folder, image);
  const options = ['-q', '-t', 'ext4', '-L', diskLabel, '-O', '^metadata_csum,^64bit'];
  const lazy = 'root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1';
  await useTool(rig, 'mke2fs', [...options, '-E', lazy, '-d', root, fresh, diskSize]);
  await copyDisk(fresh, to);
}

/** Makes the image, enclosed: what preparedDisk has ordered. */
export async function makeDisk(order: string): Promise<void> {
  enclosingRun();
  const wanted = JSON.parse(readFileSync(order, 'utf8')) as DiskOrder;
  process.env['PATH'] = `${wanted.parts.programs.containerd}:${process.env['PATH']}`;
  await inMemory((folder) => makeIn(folder, wanted));
}
