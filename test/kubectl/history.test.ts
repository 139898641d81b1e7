// The order of what happened, and the ages of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageText } from '../../src/cli/kubectl/render/age.ts';
import { historyOf } from '../../src/kubectl/history.ts';
import type { SeenGroup } from '../../src/kubectl/seen.ts';
import { assignedGroup } from '../api/objects/group-objects.ts';

const at = (minute: number): string => `2026-11-23T05:${String(minute).padStart(2, '0')}:00Z`;

/** As the server remembers who wrote spec.cordoned. */
const managed = (by: object): object => ({
  managedFields: [{ ...by, fieldsV1: { 'f:spec': { 'f:cordoned': {} } } }],
});

const cordoned: SeenGroup = {
  metadata: {
    ...{ name: 'g', creationTimestamp: at(0) },
    ...managed({ manager: 'kubectl', time: at(9) }),
  },
  spec: { cordoned: true, cordonReason: 'fan' },
  status: { ...assignedGroup.status, conditions: [], lease: { since: at(5) } } as never,
};

test('Events, lease, cordon and the making of the object stand in the order of time', () => {
  const event = (minute: number, more: object = {}): never =>
    ({
      metadata: { name: 'e' },
      eventTime: at(minute),
      reason: `At${minute}`,
      note: '',
      ...more,
    }) as never;
  const old = {
    ...{ eventTime: null, deprecatedFirstTimestamp: at(3), deprecatedCount: 2 },
    deprecatedLastTimestamp: at(4),
  };
  const entries = historyOf(cordoned, [event(7), event(1), event(0, { ...old, reason: 'Old' })]);
  assert.deepEqual(
    entries.map(({ reason }) => reason),
    ['Created', 'At1', 'Old', 'Leased', 'At7', 'Cordoned'],
  );
  assert.deepEqual([entries[2]?.count, entries[2]?.lastAt], [2, at(4)]);
  assert.equal(entries.at(-1)?.note, 'taken out of service by kubectl: fan');
});

test('defaults that the server wrote when the object was made are no cordon', () => {
  const made = { ...cordoned.metadata, ...managed({ manager: 'agent', time: at(0) }) };
  const entries = historyOf({ ...cordoned, metadata: made, spec: { cordoned: false } }, []);
  assert.deepEqual(
    entries.map(({ source }) => source),
    ['object', 'lease'],
  );
});

const second = 1000;
const [minute, hour, day] = [60 * second, 3600 * second, 86_400 * second];
const ages: readonly (readonly [ageMs: number, text: string])[] = [
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [9 * minute + 5 * second, '9m5s'],
  [179 * minute, '179m'],
  [3 * hour + 4 * minute, '3h4m'],
  [47 * hour, '47h'],
  [2 * day + hour, '2d1h'],
  [9 * day, '9d'],
  [800 * day, '2y70d'],
  [3000 * day, '8y'],
  [-5 * second, '0s'],
];

for (const [ageMs, text] of ages) {
  test(`an age of ${ageMs / second} s is ${text}`, () => {
    assert.equal(ageText(at(0), Date.parse(at(0)) + ageMs), text);
  });
}

test('a time that is none has no age', () => assert.equal(ageText('soon', 0), '<unknown>'));
