import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignGroups, driverBeforeClaim } from '../../src/agent/assign.ts';
import type { PassthroughPolicy, ResourceName } from '../../src/policy/policy.ts';
import { address, fn, group, record, recorded } from '../support/groups.ts';

const policy: PassthroughPolicy = {
  name: 'nic',
  createdAt: '',
  resourceName: 'example.com/nic' as ResourceName,
  nodeSelector: {},
  priority: 0,
  devices: [{ vendor: '8086' }],
  companions: 'Any',
  companionDevices: [],
  primaries: { min: 1, max: 4 },
  binding: 'OnAllocate',
  access: 'Auto',
  vfioDriver: 'vfio-pci',
  waive: [],
  reset: 'Preferred',
  deviceNodes: null,
};

const pair = group(
  [fn('0000:04:00.0', { driver: 'e1000e' }), fn('0000:04:00.1', { driver: 'e1000e' })],
  { number: 17 },
);
const foreign = group([fn('0000:05:00.0', { vendor: '1af4' })], { number: 18 });

test('a group without a record goes by the leader its policy gives it, and only while a policy wants it', () => {
  const found = assignGroups([pair, foreign], [], [policy]);
  assert.deepEqual(
    found.map((a) => [a.leader, a.groups[0]?.number]),
    [['0000:04:00.0', 17]],
  );
});

test('a record keeps its actor when the group got another number, lost a member, or is gone', () => {
  const taken = record([recorded('0000:04:00.0'), recorded('0000:04:00.1')]);
  const renumbered = { ...pair, number: 3 };
  const shrunk = group([fn('0000:04:00.1')], { number: 3 });
  for (const [groups, expected] of [
    [[renumbered], 1],
    [[shrunk], 1],
    [[foreign], 0],
  ] as const) {
    const found = assignGroups(groups, [taken], []);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.leader, '0000:04:00.0');
    assert.equal(found[0]?.groups.length, expected);
  }
});

test('a record whose members stand in two groups gets both, and no policy', () => {
  const taken = record([recorded('0000:04:00.0'), recorded('0000:04:00.1')]);
  const halves = [
    group([fn('0000:04:00.0')], { number: 1 }),
    group([fn('0000:04:00.1')], { number: 2 }),
  ];
  const [found] = assignGroups(halves, [taken], [policy]);
  assert.equal(found?.groups.length, 2);
  assert.equal(found?.matched.match, null);
});

test('a quarantined record keeps its group away from policies that would lead it otherwise', () => {
  const found = assignGroups([pair], [], [policy], [address('0000:04:00.1')]);
  assert.deepEqual(
    found.map((a) => a.leader),
    ['0000:04:00.1'],
  );
  assert.equal(found[0]?.matched.match, null);
});

test('selectors by driver mean the recorded driver of a claimed member', () => {
  const taken = record([recorded('0000:04:00.0', { originalDriver: 'igb' })]);
  const driverOf = driverBeforeClaim([taken]);
  assert.equal(driverOf(fn('0000:04:00.0', { driver: 'vfio-pci' })), 'igb');
  assert.equal(driverOf(fn('0000:09:00.0', { driver: 'nvme' })), 'nvme');
});
