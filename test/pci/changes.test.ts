// Where a change may have been: what hints are about, and what two fingerprints differ in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bothChanges,
  type Changes,
  changesBetween,
  changesOfSubject,
  isNone,
  noChanges,
} from '../../src/pci/changes.ts';
import { at } from '../host/machine.ts';

const a = '0000:01:00.0';
const b = '0000:02:00.0';

function some(addresses: readonly string[], groups: readonly number[] = []): Changes {
  return { kind: 'some', functions: new Set(addresses.map(at)), groups: new Set(groups) };
}

const subjects: readonly (readonly [subject: string | null, changes: Changes])[] = [
  [`/devices/pci0000:00/0000:00:01.0/${a}`, some(['0000:00:01.0', a])],
  [`/devices/pci0000:00/0000:00:01.0/${a}/nvme/nvme0/nvme0n1`, some(['0000:00:01.0', a])],
  [
    '/devices/pci0000:00/0000:00:0e.0/pci10000:00/10000:e1:00.0/nvme/nvme0',
    some(['0000:00:0e.0', '10000:e1:00.0']),
  ],
  ['/dev/vfio/17', some([], [17])],
  ['/devices/virtual/vfio/17', some([], [17])],
  ['/kernel/iommu_groups/17', some([], [17])],
  ['/dev/vfio/vfio', { kind: 'anything' }],
  ['/devices/virtual/block/dm-0', { kind: 'anything' }],
  ['/bus/pci/drivers/vfio-pci', { kind: 'anything' }],
  ['', { kind: 'anything' }],
  [null, { kind: 'anything' }],
];

for (const [subject, changes] of subjects) {
  test(`a hint about ${JSON.stringify(subject)} is about ${changes.kind === 'some' ? 'what is on its path' : 'anything'}`, () => {
    assert.deepEqual(changesOfSubject(subject), changes);
  });
}

const of = (functions: Readonly<Record<string, string>>, groups: readonly number[] = []) => ({
  parts: [new Map(Object.entries(functions).map(([name, text]) => [at(name), text] as const))],
  groups: [new Set(groups)],
  rest: 'rest',
});

test('fingerprints that are equal in every part show nothing', () => {
  assert(isNone(changesBetween(of({ [a]: 'x' }, [1]), of({ [a]: 'x' }, [1]))));
});

test('a text that changes, comes or goes is a change of its function', () => {
  const before = of({ [a]: 'x', [b]: 'y' });
  assert.deepEqual(changesBetween(before, of({ [a]: 'z', [b]: 'y' })), some([a]));
  assert.deepEqual(changesBetween(before, of({ [b]: 'y' })), some([a]));
  assert.deepEqual(changesBetween(of({ [b]: 'y' }), before), some([a]));
});

test('a group file that comes or goes is a change of its group', () => {
  assert.deepEqual(changesBetween(of({}, [1, 2]), of({}, [2, 3])), some([], [1, 3]));
});

test('what belongs to no function may be anything', () => {
  const after = { ...of({ [a]: 'x' }), rest: 'other' };
  assert.deepEqual(changesBetween(of({ [a]: 'x' }), after), { kind: 'anything' });
});

test('two changes together are in both places, and anything covers all', () => {
  assert.deepEqual(bothChanges(some([a]), some([b], [4])), some([a, b], [4]));
  assert.deepEqual(bothChanges(noChanges, some([b])), some([b]));
  assert.deepEqual(bothChanges(some([a]), { kind: 'anything' }), { kind: 'anything' });
});
