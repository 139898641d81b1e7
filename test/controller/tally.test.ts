import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { policyStatus } from '../../src/controller/policy-status.ts';
import { type GroupFacts, Tally } from '../../src/controller/tally.ts';

const policies = ['a', 'b', 'c'];
const facts = fc.record({
  node: fc.constantFrom('n1', 'n2', 'n3'),
  policy: fc.constantFrom(null, ...policies),
  offered: fc.boolean(),
  assigned: fc.boolean(),
  blocked: fc.boolean(),
  faulted: fc.boolean(),
  outranked: fc.uniqueArray(fc.constantFrom(...policies), { maxLength: 2 }),
});
const sane = facts.map(
  (each): GroupFacts => ({
    ...each,
    outranked: each.policy === null ? [] : each.outranked.filter((loser) => loser !== each.policy),
  }),
);
const change = fc.tuple(fc.constantFrom('g1', 'g2', 'g3', 'g4'), fc.option(sane));

test('counts that are kept are the counts of what is there, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const kept = new Tally();
      const there = new Map<string, GroupFacts>();
      for (const [name, now] of changes) {
        kept.set(name, now);
        if (now === null) there.delete(name);
        else there.set(name, now);
      }
      const anew = new Tally();
      for (const [name, now] of there) anew.set(name, now);
      for (const policy of policies) assert.deepEqual(kept.of(policy), anew.of(policy));
      for (const node of ['n1', 'n2', 'n3'])
        assert.deepEqual(kept.ofNode(node).toSorted(), anew.ofNode(node).toSorted());
    }),
  );
});

test('a change names the policies that it concerns, and no others', () => {
  const tally = new Tally();
  const group = { node: 'n1', offered: true, assigned: false, blocked: false, faulted: false };
  const touched = tally.set('g', { ...group, policy: 'a', outranked: ['b'] });
  assert.deepEqual([...touched].sort(), ['a', 'b']);
  assert.deepEqual([...tally.set('g', null)].sort(), ['a', 'b']);
  assert.equal(tally.of('a').matched, 0);
});

const base = { name: 'a', generation: 1, invalid: null, nodesSelected: 3 };
const group: GroupFacts = {
  ...{ node: 'n1', policy: 'a', offered: false, assigned: false, blocked: false, faulted: false },
  outranked: [],
};

const cases: readonly (readonly [string, readonly GroupFacts[], object, string])[] = [
  ['offers something', [{ ...group, offered: true }], {}, 'Offered'],
  ['has all of it out', [{ ...group, assigned: true }], {}, 'Offered'],
  ['selects no node', [], { nodesSelected: 0 }, 'NoNode'],
  ['finds no device', [], {}, 'NoMatch'],
  ['is blocked everywhere', [{ ...group, blocked: true }], {}, 'Blocked'],
  ['has a fault', [{ ...group, faulted: true }], {}, 'Faulted'],
  ['is outranked everywhere', [{ ...group, policy: 'b', outranked: ['a'] }], {}, 'Outranked'],
  ['is not valid', [], { invalid: 'spec.devices is missing' }, 'Invalid'],
];

for (const [what, groups, change, reason] of cases) {
  test(`a policy that ${what} is Ready or not for ${reason}`, () => {
    const tally = new Tally();
    groups.forEach((each, index) => tally.set(`g${index}`, each));
    const status = policyStatus({ ...base, counts: tally.of('a'), ...change }, null, 0);
    const ready = status.conditions.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, reason);
    assert.equal(ready?.status, reason === 'Offered' ? 'True' : 'False');
  });
}

test('a status made again of the same counts is the same, later too', () => {
  const tally = new Tally();
  tally.set('g', { ...group, offered: true, outranked: ['b'] });
  const report = { ...base, counts: tally.of('a') };
  const first = policyStatus(report, null, 1_000_000);
  assert.deepEqual(policyStatus(report, first, 9_000_000), first);
  assert.deepEqual(first.conflicts, [{ policy: 'b', groups: 1, winner: 'a' }]);
});
