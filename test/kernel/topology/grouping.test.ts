import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PciAddress } from '../../../src/pci/address.ts';
import {
  groupsAtBoot,
  groupToJoin,
  lowestFreeNumber,
  treeOf,
  vfAddress,
  type GroupingFunction,
} from '../../../src/kernel/model/grouping.ts';

function fn(address: string, own: Partial<GroupingFunction> = {}): GroupingFunction {
  return {
    address: address as PciAddress,
    parent: null,
    header: 'endpoint',
    multifunction: false,
    acs: false,
    conventionalBelow: false,
    realDmaDevice: null,
    dmaAliases: [],
    ...own,
  };
}
const port = (address: string, own: Partial<GroupingFunction> = {}): GroupingFunction =>
  fn(address, { header: 'bridge', acs: true, ...own });
const at = (address: string): PciAddress => address as PciAddress;

function partition(functions: readonly GroupingFunction[]): string[] {
  const sets = new Map<number, string[]>();
  for (const [address, group] of groupsAtBoot(functions, () => null)) {
    sets.set(group, [...(sets.get(group) ?? []), address.slice(5)].sort());
  }
  return [...sets].sort(([a], [b]) => a - b).map(([, names]) => names.join(' '));
}

const table: Record<string, { functions: GroupingFunction[]; groups: string[] }> = {
  'an endpoint below an ACS port is alone': {
    functions: [port('0000:00:01.0'), fn('0000:01:00.0', { parent: at('0000:00:01.0') })],
    groups: ['00:01.0', '01:00.0'],
  },
  'a port without ACS and everything below it are one group': {
    functions: [
      port('0000:00:01.0', { acs: false }),
      fn('0000:01:00.0', { parent: at('0000:00:01.0') }),
    ],
    groups: ['00:01.0 01:00.0'],
  },
  'a switch port without ACS joins only what is below it': {
    functions: [
      port('0000:00:01.0'),
      port('0000:01:00.0', { parent: at('0000:00:01.0') }),
      port('0000:02:00.0', { parent: at('0000:01:00.0'), acs: false }),
      port('0000:02:01.0', { parent: at('0000:01:00.0') }),
      fn('0000:03:00.0', { parent: at('0000:02:00.0') }),
      fn('0000:04:00.0', { parent: at('0000:02:01.0') }),
    ],
    groups: ['00:01.0', '01:00.0', '02:00.0 03:00.0', '02:01.0', '04:00.0'],
  },
  'an ACS port below one without isolates nothing': {
    functions: [
      port('0000:00:01.0', { acs: false }),
      port('0000:01:00.0', { parent: at('0000:00:01.0') }),
      fn('0000:02:00.0', { parent: at('0000:01:00.0') }),
    ],
    groups: ['00:01.0 01:00.0 02:00.0'],
  },
  'functions of a slot are one group without ACS, and apart with it': {
    functions: [
      fn('0000:00:02.0', { multifunction: true }),
      fn('0000:00:02.1', { multifunction: true }),
      fn('0000:00:03.0', { multifunction: true, acs: true }),
      fn('0000:00:03.1', { multifunction: true, acs: true }),
    ],
    groups: ['00:02.0 00:02.1', '00:03.0', '00:03.1'],
  },
  'a conventional bus is one group with its bridge, however deep': {
    functions: [
      port('0000:00:01.0'),
      port('0000:01:00.0', { parent: at('0000:00:01.0'), conventionalBelow: true }),
      fn('0000:02:01.0', { parent: at('0000:01:00.0') }),
      port('0000:02:02.0', { parent: at('0000:01:00.0'), conventionalBelow: true }),
      fn('0000:03:00.0', { parent: at('0000:02:02.0') }),
    ],
    groups: ['00:01.0', '01:00.0 02:01.0 02:02.0 03:00.0'],
  },
  'functions behind a VMD are in its group': {
    functions: [
      fn('0000:00:0e.0'),
      port('10000:00:01.0', { realDmaDevice: at('0000:00:0e.0') }),
      fn('10000:01:00.0', { parent: at('10000:00:01.0'), realDmaDevice: at('0000:00:0e.0') }),
    ],
    groups: ['00:0e.0 :00:01.0 :01:00.0'],
  },
  'a function that uses the id of another is in its group, in either order': {
    functions: [
      fn('0000:00:01.0', { dmaAliases: [at('0000:00:02.0')] }),
      fn('0000:00:02.0'),
      fn('0000:00:03.0'),
      fn('0000:00:04.0', { dmaAliases: [at('0000:00:03.0')] }),
    ],
    groups: ['00:01.0 00:02.0', '00:03.0 00:04.0'],
  },
};

for (const [sentence, { functions, groups }] of Object.entries(table)) {
  test(sentence, () => assert.deepEqual(partition(functions), groups));
}

test('a hot-added function joins the group below a port without ACS; a VF gets the lowest free number', () => {
  const root = port('0000:00:01.0', { acs: false });
  const added = fn('0000:01:00.0', { parent: root.address });
  const groups = new Map([[root.address, 6]]);
  assert.equal(
    groupToJoin(treeOf([root, added]), added, (a) => groups.get(a)),
    6,
  );
  const pf = fn('0000:04:00.0', { parent: at('0000:00:0a.0') });
  const vf = fn('0000:04:00.1', { parent: at('0000:00:0a.0') });
  const tree = treeOf([port('0000:00:0a.0'), pf, vf]);
  assert.equal(
    groupToJoin(tree, vf, (a) => (a === pf.address ? 8 : undefined)),
    null,
  );
  assert.equal(lowestFreeNumber(new Set([0, 1, 3, 4])), 2);
});

test('VF addresses are those that sriov_offset and sriov_stride give', () => {
  const sriov = { vfOffset: 128, vfStride: 2 };
  assert.equal(vfAddress(at('0000:07:00.0'), sriov, 0), '0000:07:10.0');
  assert.equal(vfAddress(at('0000:07:00.0'), sriov, 1), '0000:07:10.2');
  assert.equal(vfAddress(at('0000:04:00.0'), { vfOffset: 1, vfStride: 1 }, 1), '0000:04:00.2');
  assert.equal(vfAddress(at('0000:17:00.1'), { vfOffset: 256, vfStride: 1 }, 0), '0000:18:00.1');
});

/** Random trees: every function's parent is an earlier bridge or the root bus. */
const trees = fc
  .array(
    fc.record({
      bridge: fc.boolean(),
      acs: fc.boolean(),
      conventional: fc.boolean(),
      functions: fc.integer({ min: 1, max: 3 }),
      above: fc.nat(),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((slots) => {
    const functions: GroupingFunction[] = [];
    const buses: { parent: PciAddress | null; bus: number; slots: number }[] = [
      { parent: null, bus: 0, slots: 0 },
    ];
    for (const slot of slots) {
      const bus = buses[slot.above % buses.length];
      assert.ok(bus);
      const place = `0000:${bus.bus.toString(16).padStart(2, '0')}:${(bus.slots++).toString(16).padStart(2, '0')}`;
      const count = slot.bridge ? 1 : slot.functions;
      for (let n = 0; n < count; n++) {
        functions.push(
          fn(`${place}.${n}`, {
            parent: bus.parent,
            header: slot.bridge ? 'bridge' : 'endpoint',
            multifunction: count > 1,
            acs: slot.acs,
            conventionalBelow: slot.bridge && slot.conventional,
          }),
        );
      }
      if (slot.bridge) {
        buses.push({ parent: at(`${place}.0`), bus: buses.length, slots: 0 });
      }
    }
    return functions;
  });

test('whatever the tree: numbers have no gaps, and what no ACS separates is together', () => {
  fc.assert(
    fc.property(trees, (functions) => {
      const groups = groupsAtBoot(functions, () => null);
      const numbers = [...new Set(groups.values())].sort((a, b) => a - b);
      assert.deepEqual(numbers, [...numbers.keys()]);
      for (const one of functions) {
        const above = functions.find((other) => other.address === one.parent);
        if (above !== undefined && (above.conventionalBelow || !above.acs)) {
          assert.equal(groups.get(one.address), groups.get(above.address), one.address);
        }
        for (const peer of functions) {
          if (peer.address.slice(0, -2) !== one.address.slice(0, -2)) continue;
          if (one.multifunction && !one.acs) {
            assert.equal(groups.get(peer.address), groups.get(one.address), one.address);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});
