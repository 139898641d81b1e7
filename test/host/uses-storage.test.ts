import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block, disk, host, mount } from './disks.ts';
import { link, type Tree } from './machine.ts';
import {
  broken,
  place,
  processTree,
  said,
  swaps,
  target,
  unknownPaths,
  useTests,
} from './using.ts';

const lookWith = useTests();

/** An NVMe namespace whose disk hangs below the subsystem and names no function. */
const multipath: Tree = {
  'sys/class/nvme/nvme1': link(`${place}/nvme/nvme1`),
  'sys/class/nvme-subsystem/nvme-subsys1': { nvme1: link('x'), nvme1n1: {}, model: 'm' },
  [`${host}/${target}/nvme/nvme1/nvme1c1n1`]: { hidden: '1\n', holders: {} },
  [`${block}/nvme1c1n1`]: link(`${place}/nvme/nvme1/nvme1c1n1`),
  'sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1': { dev: '259:1\n', holders: {} },
  [`${block}/nvme1n1`]: link('../../devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1'),
};

test('an NVMe disk below a subsystem belongs to the functions of its controllers', async (t) => {
  const look = await lookWith(t, {
    ...multipath,
    ...processTree(1, { mountinfo: mount('259:1', '/mnt', '/dev/nvme1n1') }),
  });
  assert.deepEqual(said(look), ['FilesystemMounted nvme1n1 on /mnt']);
});

test('an NVMe disk with two controllers is shared, and a controller that is open is open', async (t) => {
  const look = await lookWith(t, {
    ...multipath,
    'sys/class/nvme/nvme2': link('../../devices/pci0000:00/0000:03:00.0/nvme/nvme2'),
    'sys/class/nvme-subsystem/nvme-subsys1/nvme2': link('x'),
    ...processTree(9, { comm: 'nvme', files: ['/dev/nvme1', '/dev/nvme2'] }),
  });
  assert.deepEqual(said(look), [
    'BlockDeviceOpen nvme1 open by pid 9 (nvme)',
    'NvmeMultipathShared nvme1n1 through nvme1, nvme2',
  ]);
});

const unreadable: readonly (readonly [sentence: string, tree: Tree, path: string])[] = [
  ['the list of block devices', { [block]: broken }, '/sys/class/block'],
  [
    'the holders of a disk',
    { ...disk, [`${host}/${target}/block/sda/sda1/holders`]: '' },
    '/sys/class/block/sda1/holders',
  ],
  [
    'the number of a disk',
    { ...disk, [`${host}/${target}/block/sda/dev`]: {} },
    '/sys/class/block/sda/dev',
  ],
  ['the swaps', { ...disk, 'proc/swaps': 'nonsense\n' }, '/proc/swaps'],
  ['a line of the swaps', { ...disk, ...swaps('half') }, '/proc/swaps'],
  [
    'swap on a device that has gone',
    { ...disk, ...swaps('/dev/nvme0n1\\040(deleted) partition 1 0 -2') },
    '/proc/swaps',
  ],
  [
    'a mount table',
    { ...disk, ...processTree(1, { mountinfo: 'nonsense\n' }) },
    '/proc/1/mountinfo',
  ],
  ['the file systems in use', { ...disk, 'sys/fs/ext4': broken }, '/sys/fs/ext4'],
  ['the ZFS pools', { ...disk, 'proc/spl/kstat/zfs': broken }, '/proc/spl/kstat/zfs'],
  [
    'the signature of a disk while a pool is active',
    { ...disk, 'proc/spl/kstat/zfs/tank/state': 'ONLINE\n', 'run/udev/data/b8:1': '' },
    '/run/udev/data/b8:0',
  ],
  [
    'the exported disks',
    { ...disk, 'sys/kernel/config/nvmet/subsystems': broken },
    '/sys/kernel/config/nvmet/subsystems',
  ],
  ['the NVMe controllers', { ...disk, 'sys/class/nvme': broken }, '/sys/class/nvme'],
  [
    'the NVMe subsystems',
    { ...disk, 'sys/class/nvme-subsystem': broken },
    '/sys/class/nvme-subsystem',
  ],
  ['the SCSI nodes', { 'sys/class/scsi_generic': broken }, '/sys/class/scsi_generic'],
];

for (const [what, tree, path] of unreadable) {
  test(`${what} cannot be read: an unknown use that names ${path}`, async (t) => {
    assert.ok(unknownPaths(await lookWith(t, tree)).includes(path));
  });
}
