import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchPolicies } from '../../src/policy/match.ts';
import type { PassthroughPolicy, ResourceName } from '../../src/policy/policy.ts';
import { fn, group } from '../support/groups.ts';

function policy(name: string, change: Partial<PassthroughPolicy> = {}): PassthroughPolicy {
  return {
    name,
    createdAt: '2026-01-01T00:00:00Z',
    resourceName: `example.com/${name}` as ResourceName,
    nodeSelector: {},
    priority: 0,
    devices: [{ vendor: '10de' }],
    companions: 'SameSlot',
    companionDevices: [],
    primaries: { min: 1, max: 1 },
    binding: 'OnAllocate',
    access: 'Auto',
    vfioDriver: 'vfio-pci',
    waive: [],
    reset: 'Preferred',
    deviceNodes: null,
    ...change,
  };
}

const gpu = fn('0000:65:00.0', {
  vendor: '10de',
  device: '2235',
  classCode: '030000',
  driver: 'nvidia',
});
const audio = fn('0000:65:00.1', {
  vendor: '10de',
  device: '1aef',
  classCode: '040300',
  driver: 'snd_hda_intel',
});
const nic = fn('0000:66:00.0', { vendor: '8086' });
const slot = group([gpu, audio]);
const noDriver = (): null => null;

function winner(policies: readonly PassthroughPolicy[], of = slot): string | null {
  return matchPolicies([of], policies, noDriver).get(of.key)?.match?.policy.name ?? null;
}

test('higher priority wins, then the older policy, then the name', () => {
  const one = policy('one', { devices: [{ device: '2235' }] });
  assert.equal(winner([one, policy('two', { devices: [{ device: '2235' }], priority: 5 })]), 'two');
  const old = policy('zold', { devices: [{ device: '2235' }], createdAt: '2025-01-01T00:00:00Z' });
  assert.equal(winner([one, old]), 'zold');
  assert.equal(
    winner([
      policy('b', { devices: [{ device: '2235' }] }),
      policy('a', { devices: [{ device: '2235' }] }),
    ]),
    'a',
  );
});

test('the loser is told to whom the group goes', () => {
  const found = matchPolicies(
    [slot],
    [
      policy('low', { devices: [{ device: '2235' }] }),
      policy('high', { devices: [{ device: '2235' }], priority: 1 }),
    ],
    noDriver,
  ).get(slot.key);
  assert.deepEqual(
    found?.passed.map((p) => [p.policyName, p.why]),
    [['low', 'Outranked']],
  );
  assert.match(found?.passed[0]?.message ?? '', /goes to policy high/);
});

test('a group with more selected devices than the policy takes is passed over, and the next policy gets it', () => {
  const all = policy('all', { priority: 9 });
  const found = matchPolicies(
    [slot],
    [all, policy('gpu', { devices: [{ device: '2235' }] })],
    noDriver,
  ).get(slot.key);
  assert.equal(found?.match?.policy.name, 'gpu');
  assert.deepEqual(
    found?.passed.map((p) => p.why),
    ['OutOfRange'],
  );
  assert.equal(winner([policy('both', { primaries: { min: 1, max: 2 } })]), 'both');
});

test('the lowest selected function leads the group', () => {
  const found = matchPolicies(
    [slot],
    [policy('audio', { devices: [{ class: '0403' }] })],
    noDriver,
  ).get(slot.key);
  assert.equal(found?.match?.leader, '0000:65:00.1');
});

test('companions: the same slot, those listed, or any', () => {
  const wide = group([gpu, audio, nic]);
  const permits = (change: Partial<PassthroughPolicy>): boolean[] => {
    const found = matchPolicies(
      [wide],
      [policy('p', { devices: [{ device: '2235' }], ...change })],
      noDriver,
    );
    const consent = found.get(wide.key)?.match?.consent;
    return [gpu, audio, nic].map((one) => consent?.permits(one.address) ?? false);
  };
  assert.deepEqual(permits({}), [true, true, false]);
  assert.deepEqual(permits({ companions: 'Any' }), [true, true, true]);
  assert.deepEqual(permits({ companions: 'Listed', companionDevices: [{ vendor: '8086' }] }), [
    true,
    false,
    true,
  ]);
});

test('the driver selector means the driver before a claim', () => {
  const claimed = { ...gpu, driver: { known: true, value: 'vfio-pci' } as const };
  const of = group([claimed]);
  const found = matchPolicies(
    [of],
    [policy('p', { devices: [{ driver: 'nvidia' }] })],
    () => 'nvidia',
  );
  assert.equal(found.get(of.key)?.match?.leader, '0000:65:00.0');
});

test('bridges are never selected', () => {
  const bridge = fn('0000:00:01.0', { classCode: '060400' });
  const of = group([bridge, nic]);
  assert.equal(winner([policy('p', { devices: [{ class: '0604' }] })], of), null);
});
