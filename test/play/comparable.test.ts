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
