import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ConditionNow,
  findCondition,
  removeCondition,
  setCondition,
} from '../../src/api/condition.ts';

const early = '2026-11-23T05:00:00Z';
const late = '2026-11-23T06:00:00Z';
const offered: ConditionNow = {
  type: 'Offered',
  status: 'True',
  reason: 'Releasable',
  message: 'no blockers',
};
const before = setCondition(
  [{ ...offered, type: 'Healthy', lastTransitionTime: early }],
  offered,
  early,
);

test('a condition that was not there is added with the time of now', () => {
  assert.deepEqual(setCondition([], offered, late), [{ ...offered, lastTransitionTime: late }]);
});

test('the same condition again gives the very same list', () => {
  assert.equal(setCondition(before, offered, late), before);
});

test('another reason, message or generation keeps the time of the transition', () => {
  for (const change of [
    { reason: 'Claimed' },
    { message: 'still none' },
    { observedGeneration: 2 },
  ]) {
    const after = setCondition(before, { ...offered, ...change }, late);
    assert.deepEqual(findCondition(after, 'Offered'), {
      ...offered,
      ...change,
      lastTransitionTime: early,
    });
  }
});

test('another status takes the time of now and leaves the other conditions alone', () => {
  const after = setCondition(before, { ...offered, status: 'Unknown', reason: 'ReadFailed' }, late);
  assert.equal(findCondition(after, 'Offered')?.lastTransitionTime, late);
  assert.equal(findCondition(after, 'Healthy'), before[0]);
  assert.deepEqual(
    after.map((each) => each.type),
    ['Healthy', 'Offered'],
  );
  assert.equal(before[1]?.status, 'True', 'the list given is not changed');
});

test('removing a condition that is not there gives the very same list', () => {
  assert.equal(removeCondition(before, 'Conflicting'), before);
  assert.deepEqual(
    removeCondition(before, 'Healthy').map((each) => each.type),
    ['Offered'],
  );
});
