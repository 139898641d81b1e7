// ZFS leaves no trace in holders/ or mounts of a disk: a pool is active when its kstat says so, and which disks are
// members is in udev's database.
import { unknown } from '../../base/known.ts';
import type { HostUse } from '../../ownership/use.ts';
import { findingsOf } from '../concurrently.ts';
import { isAbsent } from '../reading.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import type { BlockDevice } from '../survey/tables.ts';
import { isVital } from './mounted.ts';

const pools = '/proc/spl/kstat/zfs';

/** ZfsPoolMember; RootDisk when the pool has the node's own file systems. */
export async function zfsUses(context: UseContext): Promise<readonly HostUse[]> {
  const { concerned } = await context.blocks();
  const owners = [...new Set(concerned.flatMap((device) => device.targets))];
  const names = await context.names(pools);
  if (!names.known) return isAbsent(names) ? [] : unknownUses(owners, 'ZFS pools', [names]);
  const active: string[] = [];
  for (const name of names.value) {
    // A folder for each imported pool; the other names are counters of the module.
    const state = await context.text(`${pools}/${name}/state`);
    if (state.known || !(isAbsent(state) || state.why === 'ENOTDIR')) active.push(name);
  }
  if (active.length === 0) return [];
  return findingsOf(concerned, (device) => memberUses(context, device, active));
}

async function memberUses(
  context: UseContext,
  device: BlockDevice,
  active: readonly string[],
): Promise<readonly HostUse[]> {
  if (device.devno === null) return [];
  const path = `/run/udev/data/b${device.devno}`;
  const entry = await context.text(path);
  if (!entry.known) {
    const why = `${entry.why}, while the ZFS pool ${active.join(', ')} is active`;
    return unknownUses(device.targets, `${device.name} in a ZFS pool`, [unknown(path, why)]);
  }
  if (!/^E:ID_FS_TYPE=zfs_member$/m.test(entry.value)) return [];
  const label = /^E:ID_FS_LABEL=(.+)$/m.exec(entry.value)?.[1];
  // A member of another, exported pool is data that lies there.
  if (label !== undefined && !active.includes(label)) return [];
  const pool = label ?? active.join(' or ');
  const { mounts } = await context.mounts();
  const root = mounts.find(
    (mount) =>
      mount.fsType === 'zfs' && isVital(mount) && active.includes(mount.source.split('/')[0] ?? ''),
  );
  if (root !== undefined && (label === undefined || root.source.split('/')[0] === label)) {
    const says = `${root.source} on ${root.target}`;
    return usesOf('RootDisk', device.targets, `${device.name} with ${says}`, {
      path: root.path,
      says,
    });
  }
  const subject = `${device.name} in the ZFS pool ${pool}`;
  return usesOf('ZfsPoolMember', device.targets, subject, {
    path,
    says: `ID_FS_TYPE=zfs_member ${label ?? ''}`,
  });
}
