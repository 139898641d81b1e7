import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disk, mount, mountOf } from './disks.ts';
import { link, type Tree } from './machine.ts';
import { processTree, said, swaps, useTests } from './using.ts';

const lookWith = useTests();

const cases: readonly (readonly [sentence: string, tree: Tree, uses: readonly string[]])[] = [
  ['a disk that nobody uses is no use, even with partitions', disk, []],
  [
    'the disk under / is the root disk',
    { ...disk, ...processTree(1, { mountinfo: mount('8:1', '/', '/dev/root') }) },
    ['RootDisk sda1 on /'],
  ],
  [
    'so is the one under /var, which holds the kubelet',
    { ...disk, ...processTree(1, { mountinfo: mount('8:1', '/var', '/dev/sda1') }) },
    ['RootDisk sda1 on /var'],
  ],
  [
    'and the one under /boot/efi',
    { ...disk, ...processTree(1, { mountinfo: mount('8:1', '/boot/efi', '/dev/sda1', 'vfat') }) },
    ['RootDisk sda1 on /boot/efi'],
  ],
  [
    'a pod volume below the kubelet is a mounted file system',
    {
      ...disk,
      ...processTree(1, {
        mountinfo: mount('8:1', '/var/lib/kubelet/pods/x/volumes/y', '/dev/sda1'),
      }),
    },
    ['FilesystemMounted sda1 on /var/lib/kubelet/pods/x/volumes/y'],
  ],
  [
    'a mount that only a pod has counts',
    {
      ...disk,
      ...processTree(77, {
        mountNamespace: 4026532555,
        mountinfo: mount('8:0', '/data', '/dev/sda'),
      }),
    },
    ['FilesystemMounted sda on /data'],
  ],
  [
    '/ of a pod is not the root disk',
    {
      ...disk,
      ...processTree(77, { mountNamespace: 4026532555, mountinfo: mount('8:0', '/', '/dev/sda') }),
    },
    ['FilesystemMounted sda on /'],
  ],
  [
    'a mount point with spaces is named as it is',
    { ...disk, ...processTree(1, { mountinfo: mount('8:1', '/mnt/my\\040disk', '/dev/sda1') }) },
    ['FilesystemMounted sda1 on /mnt/my disk'],
  ],
  [
    'btrfs has a number of its own and is found by its source',
    {
      ...disk,
      ...processTree(1, {
        mountinfo: mountOf({
          devno: '0:44',
          at: '/mnt',
          source: '/dev/sda1',
          type: 'btrfs',
          root: '/@',
        }),
      }),
    },
    ['FilesystemMounted sda1 on /mnt'],
  ],
  [
    'bcachefs names all its disks',
    {
      ...disk,
      ...processTree(1, { mountinfo: mount('0:44', '/mnt', '/dev/sdb:/dev/sda1', 'bcachefs') }),
    },
    ['FilesystemMounted sda1 on /mnt'],
  ],
  [
    'the second disk of a btrfs is found by its mark',
    {
      ...disk,
      'sys/fs/btrfs/features/x': '',
      'sys/fs/btrfs/1b2c3d4e-0000-4000-8000-000000000000/devices/sda1': link('x'),
    },
    ['FilesystemMounted sda1, mounted where no process shows it'],
  ],
  [
    'a mark of ext4 without a mount that shows counts',
    { ...disk, 'sys/fs/ext4/features': {}, 'sys/fs/ext4/sda1': {} },
    ['FilesystemMounted sda1, mounted where no process shows it'],
  ],
  [
    'another disk that is mounted is not this one',
    {
      ...disk,
      ...processTree(1, { mountinfo: mount('8:16', '/mnt', '/dev/sdb') }),
      'sys/fs/xfs/sdb': {},
    },
    [],
  ],
  [
    'swap on a partition',
    { ...disk, ...swaps('/dev/sda1                               partition\t1048572\t\t0\t\t-2') },
    ['SwapActive sda1 is swap'],
  ],
  [
    'a swap file is a matter of its file system',
    { ...disk, ...swaps('/swapfile file 1048572 0 -2') },
    [],
  ],
];

for (const [sentence, tree, uses] of cases) {
  test(sentence, async (t) => {
    assert.deepEqual(said(await lookWith(t, tree)), uses);
  });
}
