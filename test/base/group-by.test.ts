// groupBy is Map.groupBy, for a Node.js that has none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupBy } from '../../src/base/group-by.ts';

test('items are grouped as Map.groupBy does it, in the same order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const key = (item: number): number => item % 3;
      assert.deepEqual([...groupBy(items, key)], [...Map.groupBy(items, key)]);
    }),
  );
});
