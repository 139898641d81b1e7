import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as host from '../../../src/kernel/model/surroundings/host-operations.ts';
import { machine } from './support.ts';

test('mountinfo shows the mounts of a process own namespace, device mapper by its mapper name', async () => {
  const { text, link } = machine('nvme-lvm');
  const own = (await text('/proc/1/mountinfo')).split('\n');
  assert.match(own[0] ?? '', /^\d+ 1 254:0 \/ \/ rw,relatime - xfs \/dev\/mapper\/vg0-root rw$/);
  assert.ok(own.some((line) => line.includes(' 9:0 / /var/lib/containerd ')));
  assert.ok(!own.some((line) => line.includes('/data')));
  const pod = await text('/proc/3301/mountinfo');
  assert.match(pod, / \/ rw,relatime - overlay overlay rw\n/);
  assert.match(pod, / 259:5 \/ \/data rw,relatime - xfs \/dev\/nvme3n1 rw\n/);
  assert.notEqual(await link('/proc/1/ns/mnt'), await link('/proc/3301/ns/mnt'));
  assert.equal(await link('/proc/1/ns/pid'), 'pid:[4026531836]');
  assert.equal(await link('/proc/990/ns/mnt'), await link('/proc/1/ns/mnt'));
  assert.match(await text('/proc/mounts'), /^\/dev\/mapper\/vg0-root \/ xfs rw,relatime 0 0\n/);
});

test('mount ids differ between namespaces and parents are the mounts that contain', async () => {
  const { text, model } = machine('nvme-lvm');
  host.mount(model.machine, { source: 'nvme4n1', target: '/boot/efi/inner', fsType: 'ext4' });
  const all = `${await text('/proc/1/mountinfo')}${await text('/proc/3301/mountinfo')}`;
  const ids = all
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0]);
  assert.equal(new Set(ids).size, ids.length);
  const line = (target: string): string[] =>
    all
      .split('\n')
      .find((one) => one.split(' ')[4] === target)
      ?.split(' ') ?? [];
  assert.equal(line('/boot/efi/inner')[1], line('/boot/efi')[0]);
  assert.equal(line('/boot/efi')[1], line('/')[0]);
});

test('a file system leaves its mark in /sys/fs whatever the namespace, and keeps it while the disk is gone', async () => {
  const { names, write, text, model } = machine('nvme-lvm');
  assert.deepEqual(await names('/sys/fs/xfs'), ['dm-0', 'nvme3n1', 'stats']);
  assert.equal(await write('/sys/bus/pci/drivers/nvme/unbind', '0000:44:00.0'), 'value');
  assert.ok(!(await names('/sys/class/block')).includes('nvme3n1'));
  assert.ok((await names('/sys/fs/xfs')).includes('nvme3n1'));
  assert.match(await text('/proc/3301/mountinfo'), /\/dev\/nvme3n1/);
  assert.equal(host.unmount(model.machine, '/data', 'pod-cache'), null);
  assert.deepEqual(await names('/sys/fs/xfs'), ['dm-0', 'stats']);
});

test('btrfs shows its devices below the file system id', async () => {
  const { names, model } = machine('nvme-lvm');
  host.mount(model.machine, { source: 'nvme4n1', target: '/b', fsType: 'btrfs', devno: '0:55' });
  const [fsid = ''] = await names('/sys/fs/btrfs');
  assert.match(fsid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual(await names(`/sys/fs/btrfs/${fsid}/devices`), ['nvme4n1']);
});

test('swap lines have the columns of the kernel, and a swap whose disk was unbound shows as deleted', async () => {
  const { text, write, model } = machine('nvme-lvm');
  assert.equal(host.swapOn(model.machine, 'nvme4n1'), null);
  assert.equal(host.swapOn(model.machine, 'nvme4n1'), 'EBUSY');
  const lines = (await text('/proc/swaps')).split('\n');
  assert.equal(lines[0], 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority');
  assert.match(lines[1] ?? '', /^\/dev\/dm-1 {31}partition\t\d+\t+0\t\t-2$/);
  assert.equal(lines[2], `${'/dev/nvme4n1'.padEnd(40)}partition\t1953514580\t0\t\t-3`);
  assert.equal(await write('/sys/bus/pci/drivers/nvme/unbind', '0000:45:00.0'), 'value');
  const gone = (await text('/proc/swaps')).split('\n')[2] ?? '';
  assert.match(gone, /^\/dev\/nvme4n1\\040\(deleted\) +partition\t/);
});

test('holders lead from partition to volume and array, slaves lead back', async () => {
  const { names, text, link } = machine('nvme-lvm');
  const block = '/sys/class/block';
  assert.deepEqual(await names(`${block}/nvme0n1p2/holders`), ['dm-0', 'dm-1']);
  assert.deepEqual(await names(`${block}/nvme0n1p1/holders`), []);
  assert.deepEqual(await names(`${block}/md0/slaves`), ['nvme1n1', 'nvme2n1']);
  assert.match(await text(`${block}/dm-0/dm/uuid`), /^LVM-\w{64}\n$/);
  assert.equal(await text(`${block}/dm-0/dm/name`), 'vg0-root\n');
  assert.equal(await text(`${block}/md0/md/array_state`), 'clean\n');
  assert.equal(await text(`${block}/dm-0/dev`), '254:0\n');
  assert.match(await link(`${block}/nvme0n1p2/holders/dm-0`), /\.\.\/virtual\/block\/dm-0$/);
  assert.equal(await text(`${block}/nvme0n1p2/holders/dm-0/dm/name`), 'vg0-root\n');
  assert.equal(await text(`${block}/nvme0n1p2/partition`), '2\n');
  assert.equal(await text(`${block}/nvme0n1/partition`), 'ENOENT');
  assert.match(await text('/proc/mdstat'), /^md0 : active raid1 nvme2n1\[1\] nvme1n1\[0\]$/m);
});

test('udev knows the contents of disks and partitions by device number', async () => {
  const { text } = machine('nvme-lvm');
  const devno = (await text('/sys/class/block/nvme0n1p2/dev')).trim();
  const record = await text(`/run/udev/data/b${devno}`);
  assert.match(record, /^E:ID_FS_TYPE=LVM2_member$/m);
  assert.match(record, /^E:ID_FS_USAGE=raid$/m);
});

test('the subsystem of a multipath disk links to the controller that has the function in its path', async () => {
  const { names, link } = machine('guest');
  const subsystem = '/sys/class/nvme-subsystem/nvme-subsys1';
  const entries = await names(subsystem);
  assert.ok(entries.includes('nvme1') && entries.includes('nvme1n1'));
  assert.match(await link(`${subsystem}/nvme1`), /0000:08:00\.0\/nvme\/nvme1$/);
  assert.match(
    await link('/sys/class/block/nvme1n1'),
    /virtual\/nvme-subsystem\/nvme-subsys1\/nvme1n1$/,
  );
});

test('bcache, loop, ZFS and exported disks show where the kernel shows them', async () => {
  const { text, names } = machine(`
topology: 1
devices:
  0000:00:02.0:
    id: 8086:0001
    class: 010601
    driver: ahci
    block:
      - {name: sda, contents: bcache, holders: [bcache0]}
      - {name: sdb, contents: zfs_member}
      - {name: sdc}
stacked: [{name: bcache0}, {name: loop0, backingFile: /images/disk image}]
zfsPools: [{name: tank}]
storageTargets: [{kind: lio, device: sdc}, {kind: nvmet, device: sdb}]
`);
  assert.equal(await text('/sys/class/block/sda/bcache/state'), 'clean\n');
  assert.deepEqual(await names('/sys/class/block/sda/holders'), ['bcache0']);
  assert.equal(await text('/sys/class/block/loop0/loop/backing_file'), '/images/disk image\n');
  assert.equal(await text('/proc/spl/kstat/zfs/tank/state'), 'ONLINE\n');
  assert.equal(await text('/sys/kernel/config/target/core/iblock_0/sdc/udev_path'), '/dev/sdc\n');
  const [nqn = ''] = await names('/sys/kernel/config/nvmet/subsystems');
  const namespace = `/sys/kernel/config/nvmet/subsystems/${nqn}/namespaces/1`;
  assert.equal(await text(`${namespace}/device_path`), '/dev/sdb\n');
});
