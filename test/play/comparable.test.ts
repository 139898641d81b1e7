// What is compared of two runs of one script.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparable } from './comparable.ts';

const how = { anySensor: true, anyRace: true };
const read = [
  '   [async ru] read /sys/bus/pci/devices/0000:00:05.0/uevent: PCI_CLASS=20000',
  'PCI_ID=8086:100E',
  'PCI_SLOT_NAME=0000:00:05.0',
  '',
];

test('a text of several lines that a child read counts where it was waited for, whenever it was printed', () => {
  const soon = ['> close d', ...read, '   -> closed', '> wait ru 1000', '   -> done after ~2ms'];
  const late = ['> close d', '   -> closed', '> wait ru 1000', ...read, '   -> done after ~7ms'];
  assert.deepEqual(comparable(late, how), comparable(soon, how));
});

test('another text of the child is another answer', () => {
  const end = ['> wait ru 1000', '   -> done after ~2ms'];
  const [first = '', , ...rest] = read;
  const other = [first, 'PCI_ID=8086:10D3', ...rest];
  assert.notDeepEqual(comparable([...other, ...end], how), comparable([...read, ...end], how));
});

const disk = '/devices/pci0000:00/0000:00:06.0';
const add = `   uevent add@${disk}/nvme/nvme1 | SUBSYSTEM=nvme DEVNAME=nvme1 SEQNUM`;
const sensor = `   uevent add@${disk}/nvme/nvme1/hwmon2 | SUBSYSTEM=hwmon SEQNUM`;
const bind = `   uevent bind@${disk} | SUBSYSTEM=pci DRIVER=nvme PCI_SLOT_NAME=0000:00:06.0 MODALIAS=.. SEQNUM`;
const change = `   uevent change@${disk}/nvme/nvme1 | SUBSYSTEM=nvme DEVNAME=nvme1 SEQNUM`;

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
