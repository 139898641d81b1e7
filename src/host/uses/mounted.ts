// File systems on a function's disks: mounted in any mount namespace, or marked in /sys/fs as alive without a mount
// that can be seen. The disk under the system itself is its own kind and is never to be taken.
import type { HostUse } from '../../ownership/use.ts';
import { isAbsent } from '../reading.ts';
import { findDevice } from '../survey/blocks.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import type { BlockDevice, BlockTable, Mount } from '../survey/tables.ts';

/** Folders without which the node is no node any more: what holds one of them is the root disk. */
const vital = [
  '/',
  '/boot',
  '/usr',
  '/etc',
  '/var/lib/kubelet',
  '/var/lib/containerd',
  '/var/lib/etcd',
];

/** File systems that keep a folder for each device below /sys/fs/TYPE while it is in use. */
const markedTypes = ['ext4', 'xfs', 'f2fs', 'erofs', 'nilfs2', 'gfs2'];

/** RootDisk and FilesystemMounted. */
export async function mountedUses(context: UseContext): Promise<readonly HostUse[]> {
  const blocks = await context.blocks();
  const { mounts, problems } = await context.mounts();
  const owners = [...new Set(blocks.concerned.flatMap((device) => device.targets))];
  const found = unknownUses(owners, 'mounts', problems);
  const marks = await readMarks(context, blocks);
  found.push(...unknownUses(owners, 'file systems in /sys/fs', marks.problems));
  const byDevice = mountsByDevice(mounts, blocks);
  for (const device of blocks.concerned) {
    const here = byDevice.get(device.name) ?? [];
    const mark = marks.byDevice.get(device.name);
    if (here.length > 0) found.push(...mountUses(device, here));
    else if (mark !== undefined) {
      const says = `${device.name}: a file system is in use`;
      found.push(
        ...usesOf(
          'FilesystemMounted',
          device.targets,
          `${device.name}, mounted where no process shows it`,
          { path: mark, says },
        ),
      );
    }
  }
  return found;
}

/** By number, and by source: btrfs and overlay have numbers of their own in mountinfo. */
function mountsByDevice(
  mounts: readonly Mount[],
  blocks: BlockTable,
): ReadonlyMap<string, readonly Mount[]> {
  const byNumber = new Map<string, string>();
  for (const { name, devno } of blocks.devices.values())
    if (devno !== null) byNumber.set(devno, name);
  const bySource = new Map<string, string | undefined>();
  const found = new Map<string, Mount[]>();
  for (const mount of mounts) {
    // A device node that is mounted by itself is an open device, not a file system.
    if (mount.fsType === 'devtmpfs') continue;
    // bcachefs names all its disks, joined by colons.
    const sources = mount.source.split(':').filter((source) => source.startsWith('/dev/'));
    for (const source of sources) {
      if (!bySource.has(source)) bySource.set(source, findDevice(blocks, source)?.name);
    }
    const named = sources.map((source) => bySource.get(source));
    for (const name of new Set([byNumber.get(mount.devno), ...named])) {
      if (name === undefined) continue;
      const there = found.get(name);
      if (there === undefined) found.set(name, [mount]);
      else there.push(mount);
    }
  }
  return found;
}

function mountUses(device: BlockDevice, mounts: readonly Mount[]): HostUse[] {
  const root = mounts.find(isVital);
  const shown = root ?? mounts.find((mount) => mount.host) ?? mounts[0];
  if (shown === undefined) return [];
  const kind = root === undefined ? 'FilesystemMounted' : 'RootDisk';
  const more = mounts.length > 1 ? ` and ${mounts.length - 1} more` : '';
  const says = `${shown.devno} ${shown.root} ${shown.target} ${shown.fsType} ${shown.source}`;
  return usesOf(kind, device.targets, `${device.name} on ${shown.target}${more}`, {
    path: shown.path,
    says,
  });
}

/** Whether the node stands on what is mounted here. */
export function isVital(mount: Mount): boolean {
  if (!mount.host) return false;
  const below = mount.target === '/' ? '/' : `${mount.target}/`;
  return (
    mount.target.startsWith('/boot/') ||
    vital.some((folder) => folder === mount.target || folder.startsWith(below))
  );
}

interface Marks {
  /** Path of the mark by kernel name of the device. */
  readonly byDevice: ReadonlyMap<string, string>;
  readonly problems: readonly { known: false; path: string; why: string }[];
}

async function readMarks(context: UseContext, blocks: BlockTable): Promise<Marks> {
  const byDevice = new Map<string, string>();
  const problems: Marks['problems'][number][] = [];
  const names = async (path: string): Promise<readonly string[]> => {
    const read = await context.names(path);
    if (read.known) return read.value;
    if (!isAbsent(read)) problems.push(read);
    return [];
  };
  if (blocks.concerned.length === 0) return { byDevice, problems };
  for (const type of markedTypes) {
    for (const name of await names(`/sys/fs/${type}`))
      byDevice.set(name, `/sys/fs/${type}/${name}`);
  }
  for (const id of await names('/sys/fs/btrfs')) {
    if (!/^[0-9a-f]{8}-/.test(id)) continue; // `features` and the like
    const folder = `/sys/fs/btrfs/${id}/devices`;
    for (const name of await names(folder)) byDevice.set(name, `${folder}/${name}`);
  }
  return { byDevice, problems };
}
