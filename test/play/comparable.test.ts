// What is not compared of two runs is compared no matter how it came; everything else still is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparable } from './comparable.ts';

const disk = '/devices/pci0000:00/0000:00:06.0';
const add = `   uevent add@${disk}/nvme/nvme1 | SUBSYSTEM=nvme DEVNAME=nvme1 SEQNUM`;
const sensor = `   uevent add@${disk}/nvme/nvme1/hwmon2 | SUBSYSTEM=hwmon SEQNUM`;
const bind = `   uevent bind@${disk} | SUBSYSTEM=pci DRIVER=nvme PCI_SLOT_NAME=0000:00:06.0 MODALIAS=.. SEQNUM`;
const change = `   uevent change@${disk}/nvme/nvme1 | SUBSYSTEM=nvme DEVNAME=nvme1 SEQNUM`;
const how = { anySensor: true, anyRace: true };

test('the bind of an NVMe disk races with its worker (6.1, seed 900, script 12)', () => {
  const orders = [
    [add, bind, sensor, change],
    [add, sensor, bind, change],
    [add, sensor, change, bind],
  ];
  const [first, ...others] = orders.map((lines) => comparable(lines, how));
  for (const other of others) assert.deepEqual(other, first);
});

test('a bind that does not come, or comes before its controller, is a difference', () => {
  const expected = comparable([add, sensor, bind, change], how);
  assert.notDeepEqual(comparable([add, sensor, change], how), expected);
  assert.notDeepEqual(comparable([bind, add, sensor, change], how), expected);
});
