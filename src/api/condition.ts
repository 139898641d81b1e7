// metav1.Condition, and how one is set: pure functions over lists of conditions. The time is a parameter.
import type * as z from 'zod';
import { keyedList, oneOf, prose, strict, text, time, wholeNumber } from './forms.ts';

const generation = { min: 0, max: Number.MAX_SAFE_INTEGER } as const;

/** The limits are those of metav1.Condition in the API machinery. */
const conditionSchema = strict({
  type: text(
    'a condition type in CamelCase',
    /^[A-Za-z0-9]([-A-Za-z0-9_./]{0,314}[A-Za-z0-9])?$/,
    316,
  ).describe('which aspect'),
  status: oneOf(['True', 'False', 'Unknown']).describe('whether it is so'),
  observedGeneration: wholeNumber(
    'generation of the spec that this was seen at',
    generation,
  ).optional(),
  lastTransitionTime: time('when the status changed last'),
  reason: text('a reason in CamelCase', /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/, 1024).describe(
    'why, in one word',
  ),
  message: prose('the same in words', 32_768),
}).describe('one aspect of the state');

/** Conditions of an object, each type once: each writer may apply its own. */
export function conditionList(types: readonly string[]): z.ZodArray<typeof conditionSchema> {
  return keyedList(`conditions: ${types.join(', ')}`, conditionSchema, { key: 'type', max: 16 });
}

/** One condition of an object. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number | undefined;
  /** RFC 3339 in whole seconds, UTC. */
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** A condition as its author knows it: the time of the transition is worked out. */
export type ConditionNow = Omit<Condition, 'lastTransitionTime'>;

/**
 * `conditions` with `next` in it. lastTransitionTime becomes `now` (RFC 3339, whole seconds, UTC) only when the
 * status is new or another; a new reason or message alone keeps the old time. Nothing changed: the same list.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: ConditionNow,
  now: string,
): readonly Condition[] {
  const index = conditions.findIndex((each) => each.type === next.type);
  const earlier = conditions[index];
  if (earlier === undefined) return [...conditions, { ...next, lastTransitionTime: now }];
  const since = earlier.status === next.status ? earlier.lastTransitionTime : now;
  const condition: Condition = { ...next, lastTransitionTime: since };
  return sameCondition(earlier, condition) ? conditions : conditions.with(index, condition);
}

/** setCondition for one after the other. */
export function setConditions(
  conditions: readonly Condition[],
  next: readonly ConditionNow[],
  now: string,
): Condition[] {
  return [...next.reduce((list, each) => setCondition(list, each, now), conditions)];
}

/** The condition of a type, or null. */
export function findCondition(conditions: readonly Condition[], type: string): Condition | null {
  return conditions.find((each) => each.type === type) ?? null;
}

/** `conditions` without the one of a type; the same list when there is none. */
export function removeCondition(
  conditions: readonly Condition[],
  type: string,
): readonly Condition[] {
  const rest = conditions.filter((each) => each.type !== type);
  return rest.length === conditions.length ? conditions : rest;
}

function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration &&
    a.lastTransitionTime === b.lastTransitionTime
  );
}
