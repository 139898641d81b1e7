import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayBlock, type Operation } from '../../../src/kernel/linux/may-block.ts';

const device = '/sys/bus/pci/devices/0000:65:00.0';
const behindVmd = '/sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0';

const inProcess: readonly [Operation, string][] = [
  ['list', '/sys/bus/pci/devices'],
  ['list', device],
  ['readLink', `${device}/driver`],
  ['read', `${device}/vendor`],
  ['read', `${device}/enable`],
  ['read', `${behindVmd}/class`],
  ['list', '/sys/kernel/iommu_groups/7/devices'],
  ['list', '/sys/fs/ext4'],
  ['read', '/sys/kernel/uevent_seqnum'],
  ['list', '/sys/fs'],
  ['read', '/sys/class/net/eth0/flags'],
  ['read', '/sys/class/block/sda1/dev'],
  ['list', '/proc'],
  ['list', '/proc/4711/fd'],
  ['readLink', '/proc/4711/fd/3'],
  ['readLink', '/proc/1/ns/mnt'],
  ['readLink', '/proc/1/root'],
  ['read', '/proc/4711/comm'],
  ['read', '/proc/sys/kernel/random/boot_id'],
  ['read', '/proc/1/net/fib_trie'],
  ['readLinks', '/proc/4711/fd'],
  ['readLinks', '/sys/class/net'],
  ['exists', '/dev/vfio/vfio'],
  ['list', '/dev/vfio'],
  ['read', '/run/udev/data/b8:1'],
];

const inLane: readonly [Operation, string][] = [
  ['write', `${device}/driver_override`],
  ['write', '/sys/bus/pci/drivers_probe'],
  ['write', '/proc/sys/kernel/random/boot_id'],
  ['read', `${device}/driver_override`],
  ['read', `${device}/uevent`],
  ['read', `${device}/sriov_numvfs`],
  ['read', `${device}/config`],
  ['read', `${device}/reset_method`],
  // The same names below something that is not a PCI function are other attributes.
  ['read', `${device}/nvme/nvme0/device`],
  ['read', '/sys/bus/usb/devices/1-2/class'],
  ['read', '/sys/kernel/iommu_groups/7/type'],
  ['read', '/sys/kernel/iommu_groups/7/reserved_regions'],
  ['read', '/sys/class/net/eth0/carrier'],
  ['read', '/sys/class/vtconsole/vtcon1/bind'],
  ['read', '/sys/module/iommufd/parameters/allow_unsafe_interrupts'],
  ['list', '/sys/kernel/config/target/core'],
  ['list', '/sys/kernel/debug/dri'],
  ['list', '/sys/fs/cgroup'],
  ['list', '/sys/fs/fuse/connections'],
  ['read', '/proc/4711/mountinfo'],
  ['read', '/proc/4711/fdinfo/3'],
  ['read', '/proc/4711/cmdline'],
  ['read', '/proc/swaps'],
  ['read', '/proc/kallsyms'],
  ['list', '/proc/4711/map_files'],
  ['read', '/dev/vfio/vfio'],
  ['read', '/dev/mem'],
  ['read', '/run/initctl'],
  ['exists', '/proc/1/mountinfo'],
  ['read', '/something/new'],
];

test('only calls that are known not to block are made in process', () => {
  for (const [operation, path] of inProcess) {
    assert.equal(mayBlock(operation, path), false, `${operation} ${path}`);
  }
});

test('every write, every lock-taking read and everything unknown goes to a lane', () => {
  for (const [operation, path] of inLane) {
    assert.equal(mayBlock(operation, path), true, `${operation} ${path}`);
  }
});
