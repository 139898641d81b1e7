import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { OfferedDevice } from '../../src/kubelet/door.ts';
import { preferDevices } from '../../src/kubelet/preferred.ts';
import { device } from './test-door.ts';

// a, b … are devices; the numbers are their NUMA nodes; mN is the member count.
const offered = [
  device('a', { numaNodes: [0], memberCount: 1 }),
  device('b', { numaNodes: [1], memberCount: 2 }),
  device('c', { numaNodes: [1], memberCount: 1 }),
  device('d', { numaNodes: [0, 1], memberCount: 1 }),
  device('e', { numaNodes: [0], memberCount: 4 }),
  device('f', { numaNodes: [], memberCount: 1 }),
];

describe('the preferred allocation', () => {
  const table: readonly (readonly [string, string, string, number, string])[] = [
    // what, available, must include, size, chosen
    ['one device: the fewest members, then the lowest ID', 'abcde', '', 1, 'a'],
    ['two devices of one node rather than two smaller ones of two nodes', 'abe', '', 2, 'ae'],
    ['the node with fewer members when both fit', 'abce', '', 2, 'bc'],
    ['what must be included decides the node', 'abce', 'b', 2, 'bc'],
    ['a group that spans nodes counts on both', 'ade', '', 2, 'ae'],
    ['a spanning group is free once both nodes are taken', 'abd', 'ab', 3, 'abd'],
    ['a device of unknown node shares a node with nobody', 'aef', '', 2, 'ae'],
    ['all of them when all are asked for', 'fedcba', '', 6, 'abcdef'],
    ['one that is not offered any more comes last', 'az', '', 1, 'a'],
    [
      'one that is not offered any more is still chosen when nothing else is left',
      'az',
      '',
      2,
      'az',
    ],
    ['exactly the must-include ones', 'abc', 'bc', 2, 'bc'],
  ];
  for (const [what, available, must, size, chosen] of table) {
    test(what, () => {
      const request = { available: available.split(''), mustInclude: must.split(''), size };
      assert.deepEqual(preferDevices(request, offered), { ok: true, value: chosen.split('') });
    });
  }

  const bad: readonly (readonly [string, string, number, string])[] = [
    ['ab', '', 0, 'allocation_size is 0; it must be 1 or more'],
    ['ab', '', -1, 'allocation_size is -1; it must be 1 or more'],
    ['ab', '', 3, 'allocation_size is 3, but available_deviceIDs has 2 devices'],
    ['abc', 'ab', 1, 'allocation_size is 1, but must_include_deviceIDs has 2 devices'],
    ['ab', 'c', 1, 'must_include_deviceIDs names c, which available_deviceIDs does not'],
  ];
  for (const [available, must, size, problem] of bad) {
    test(`refused: ${problem}`, () => {
      const request = { available: available.split(''), mustInclude: must.split(''), size };
      assert.deepEqual(preferDevices(request, offered), { ok: false, problem });
    });
  }

  const offers = fc
    .array(
      fc.record({
        nodes: fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
        members: fc.integer({ min: 1, max: 4 }),
      }),
      { minLength: 1, maxLength: 7 },
    )
    .map((list) =>
      list.map((one, index) =>
        device(`d${index}`, { numaNodes: one.nodes, memberCount: one.members }),
      ),
    );
  const nodesOf = (devices: readonly OfferedDevice[]): number =>
    new Set(devices.flatMap((one) => (one.numaNodes.length === 0 ? [-1] : one.numaNodes))).size;
  const membersOf = (devices: readonly OfferedDevice[]): number =>
    devices.reduce((sum, one) => sum + one.memberCount, 0);

  test('no other choice has fewer nodes, or as many nodes and fewer members', () => {
    fc.assert(
      fc.property(offers, fc.nat(), fc.nat(), (list, sizeSeed, mustSeed) => {
        const size = 1 + (sizeSeed % list.length);
        const must = list.filter((_, index) => ((mustSeed >> index) & 1) === 1).slice(0, size);
        const request = {
          available: list.map((one) => one.id),
          mustInclude: must.map((one) => one.id),
          size,
        };
        const answer = preferDevices(request, list);
        assert.ok(answer.ok);
        const chosen = list.filter((one) => answer.value.includes(one.id));
        assert.equal(answer.value.length, size);
        assert.ok(must.every((one) => chosen.includes(one)));
        for (let mask = 0; mask < 2 ** list.length; mask++) {
          const other = list.filter((_, index) => ((mask >> index) & 1) === 1);
          if (other.length !== size || !must.every((one) => other.includes(one))) continue;
          assert.ok(nodesOf(chosen) <= nodesOf(other), 'another choice has fewer nodes');
          if (nodesOf(chosen) < nodesOf(other)) continue;
          assert.ok(membersOf(chosen) <= membersOf(other), 'another choice has fewer members');
        }
      }),
      { numRuns: 400 },
    );
  });

  test('the answer does not depend on the order of the question', () => {
    fc.assert(
      fc.property(
        offers.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        fc.nat(),
        ([list, shuffled], seed) => {
          const size = 1 + (seed % list.length);
          const ask = (from: readonly OfferedDevice[]) =>
            preferDevices({ available: from.map((one) => one.id), mustInclude: [], size }, from);
          assert.deepEqual(ask(list), ask(shuffled));
        },
      ),
    );
  });

  test('a machine with very many nodes is packed, too, and quickly', () => {
    const many = Array.from({ length: 400 }, (_, index) =>
      device(`d${String(index).padStart(3, '0')}`, {
        numaNodes: [index % 40],
        memberCount: 1 + (index % 3),
      }),
    );
    const startMs = performance.now();
    const answer = preferDevices(
      { available: many.map((one) => one.id), mustInclude: ['d007'], size: 10 },
      many,
    );
    assert.ok(performance.now() - startMs < 100);
    assert.ok(answer.ok);
    const chosen = many.filter((one) => answer.value.includes(one.id));
    assert.equal(nodesOf(chosen), 1);
  });
});
