import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disk, dm, heldBy, host, mount, mountOf, stacked } from './disks.ts';
import { link, type Tree } from './machine.ts';
import { place, processTree, said, swaps, target, useTests } from './using.ts';

const lookWith = useTests();

const cases: readonly (readonly [sentence: string, tree: Tree, uses: readonly string[]])[] = [
  [
    'an active volume group',
    { ...disk, ...heldBy('dm-0'), ...stacked('dm-0', dm('vg-data', 'LVM-abc')) },
    ['VolumeGroupActive sda1 under vg-data'],
  ],
  [
    'an encrypted volume',
    { ...disk, ...heldBy('dm-0'), ...stacked('dm-0', dm('secret', 'CRYPT-LUKS2-abc')) },
    ['DeviceMapperActive sda1 under secret'],
  ],
  [
    'a multipath map',
    { ...disk, ...heldBy('dm-0'), ...stacked('dm-0', dm('mpatha', 'mpath-360')) },
    ['DeviceMapperActive sda1 under mpatha'],
  ],
  [
    'the root disk through LVM on RAID',
    {
      ...disk,
      ...heldBy('md0'),
      ...stacked('md0', {
        dev: '9:0\n',
        md: { array_state: 'clean\n' },
        holders: { 'dm-0': link('x') },
      }),
      ...stacked('dm-0', dm('vg-root', 'LVM-abc')),
      ...processTree(1, { mountinfo: mount('254:0', '/', '/dev/mapper/vg-root', 'xfs') }),
    },
    ['RaidArrayActive sda1 in md0', 'RootDisk dm-0 on /', 'VolumeGroupActive md0 under vg-root'],
  ],
  [
    'swap on a logical volume, by its mapper name',
    {
      ...disk,
      ...heldBy('dm-0'),
      ...stacked('dm-0', dm('vg-swap', 'LVM-abc')),
      ...swaps('/dev/mapper/vg-swap partition 1 0 -2'),
    },
    ['SwapActive dm-0 is swap', 'VolumeGroupActive sda1 under vg-swap'],
  ],
  [
    'bcache, as cache and as backing',
    {
      ...disk,
      [`${host}/${target}/block/sda/bcache`]: {},
      ...heldBy('bcache0'),
      ...stacked('bcache0', { dev: '252:0\n' }),
    },
    ['BcacheActive sda in bcache', 'BcacheActive sda1 under bcache0'],
  ],
  [
    'an unknown holder holds all the same',
    { ...disk, ...heldBy('drbd0'), ...stacked('drbd0', { dev: '147:0\n' }) },
    ['BlockDeviceOpen sda1 under drbd0'],
  ],
  [
    'a member of an active ZFS pool',
    {
      ...disk,
      'proc/spl/kstat/zfs/tank/state': 'ONLINE\n',
      'proc/spl/kstat/zfs/arcstats': '',
      'run/udev/data/b8:0': 'N:sda\n',
      'run/udev/data/b8:1': 'E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n',
    },
    ['ZfsPoolMember sda1 in the ZFS pool tank'],
  ],
  [
    'a pool that has the file systems of the node is the root disk',
    {
      ...disk,
      'proc/spl/kstat/zfs/tank/state': 'ONLINE\n',
      'run/udev/data/b8:0': 'N:sda\n',
      'run/udev/data/b8:1': 'E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n',
      ...processTree(1, { mountinfo: mount('0:40', '/var', 'tank/var', 'zfs') }),
    },
    ['RootDisk sda1 with tank/var on /var'],
  ],
  [
    'a member of an exported pool only lies there',
    {
      ...disk,
      'proc/spl/kstat/zfs/tank/state': 'ONLINE\n',
      'run/udev/data/b8:0': '',
      'run/udev/data/b8:1': 'E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=old\n',
    },
    [],
  ],
  ['ZFS loaded without a pool is nothing', { ...disk, 'proc/spl/kstat/zfs/arcstats': '' }, []],
  [
    'a loop device over the disk, and what is mounted from it',
    {
      ...disk,
      ...stacked('loop3', { dev: '7:3\n', loop: { backing_file: '/dev/sda1\n' } }),
      ...stacked('loop4', { dev: '7:4\n' }),
      ...processTree(1, { mountinfo: mount('7:3', '/mnt', '/dev/loop3') }),
    },
    ['FilesystemMounted loop3 on /mnt', 'LoopBacking sda1 behind loop3'],
  ],
  [
    'a raw block volume of the kubelet: a bind mount of the node, a loop over it',
    {
      ...disk,
      ...stacked('loop3', { dev: '7:3\n', loop: { backing_file: '/var/lib/kubelet/dev/x\n' } }),
      ...processTree(1, {
        mountinfo: mountOf({
          devno: '0:6',
          at: '/var/lib/kubelet/dev/x',
          source: 'udev',
          type: 'devtmpfs',
          root: '/sda',
        }),
      }),
    },
    ['BlockDeviceOpen sda given to /var/lib/kubelet/dev/x', 'LoopBacking sda behind loop3'],
  ],
  [
    'a program that has the disk open',
    {
      ...disk,
      ...processTree(50, { comm: 'qemu', files: ['/dev/sda1', '/dev/sdb'] }),
      ...processTree(51, { files: ['/dev/sda1 (deleted)'] }),
    },
    ['BlockDeviceOpen sda1 open by pid 50 (qemu) and 1 more'],
  ],
  [
    'a program with the SCSI node open',
    {
      ...disk,
      'sys/class/scsi_generic/sg0': link(`${place}/scsi_generic/sg0`),
      ...processTree(50, { comm: 'smartd', files: ['/dev/sg0'] }),
    },
    ['BlockDeviceOpen sg0 open by pid 50 (smartd)'],
  ],
  [
    'a disk exported by LIO',
    {
      ...disk,
      'sys/kernel/config/target/core/iblock_0': {
        hba_info: '',
        disk1: { udev_path: '/dev/sda\n' },
      },
      'sys/kernel/config/target/core/alua': {},
    },
    ['StorageTargetExport sda exported'],
  ],
  [
    'a partition exported by nvmet',
    {
      ...disk,
      'sys/kernel/config/nvmet/subsystems/nqn.x': {
        namespaces: { '1': { device_path: '/dev/sda1\n' }, '2': { device_path: '(null)\n' } },
      },
    },
    ['StorageTargetExport sda1 exported'],
  ],
];

for (const [sentence, tree, uses] of cases) {
  test(sentence, async (t) => {
    assert.deepEqual(said(await lookWith(t, tree)), uses);
  });
}
