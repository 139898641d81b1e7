import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Offerable, offers, sameOffers } from '../../src/policy/offers.ts';
import type { ResourceName } from '../../src/policy/policy.ts';
import { address } from '../support/groups.ts';

const nic = 'example.com/nic' as ResourceName;
const gpu = 'example.com/gpu' as ResourceName;

function offerable(at: string, change: Partial<Offerable> = {}): Offerable {
  return {
    resourceName: nic,
    leader: address(at),
    healthy: true,
    numaNodes: [0],
    memberCount: 1,
    ...change,
  };
}

test('devices stand under their resource in address order, blocked ones too', () => {
  const list = offers(
    [nic],
    [offerable('0000:10:00.0'), offerable('0000:02:00.0', { healthy: false })],
  ).get(nic);
  assert.deepEqual(
    list?.map((device) => [device.id, device.healthy]),
    [
      ['0000:02:00.0', false],
      ['0000:10:00.0', true],
    ],
  );
});

test('a resource without devices stays listed with none', () => {
  assert.deepEqual(offers([gpu], []).get(gpu), []);
});

test('a claimed group of a policy that has gone keeps its resource', () => {
  assert.equal(offers([], [offerable('0000:02:00.0')]).get(nic)?.length, 1);
});

test('offers are the same exactly when the kubelet would see no difference', () => {
  const base = offers([nic], [offerable('0000:02:00.0')]);
  assert.ok(sameOffers(base, offers([nic], [offerable('0000:02:00.0')])));
  const others = [
    offers([nic, gpu], [offerable('0000:02:00.0')]),
    offers([nic], []),
    offers([nic], [offerable('0000:02:00.0', { healthy: false })]),
    offers([nic], [offerable('0000:02:00.0', { numaNodes: [1] })]),
    offers([nic], [offerable('0000:02:00.0', { numaNodes: [] })]),
    offers([nic], [offerable('0000:02:00.0', { memberCount: 2 })]),
    offers([nic], [offerable('0000:02:00.1')]),
  ];
  for (const other of others) assert.ok(!sameOffers(base, other));
});
