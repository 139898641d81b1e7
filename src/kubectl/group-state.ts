// What a group comes to in one word, for colours, counts and exit statuses.
import { findCondition } from '../api/condition.ts';
import type { SeenGroup } from './seen.ts';

/** The states, in the order in which they are counted. */
export const groupStates = [
  'assigned',
  'offered',
  'moving',
  'blocked',
  'faulted',
  'idle',
  'unreported',
] as const;

/**
 * assigned: a pod has it; offered: the next pod may; moving: on its way between host and pod; blocked: something keeps
 * it; faulted: it needs a person; idle: nothing keeps it, and nothing offers it; unreported: no agent has told.
 */
export type GroupState = (typeof groupStates)[number];

/** The state of a group. */
export function groupState({ status }: SeenGroup): GroupState {
  if (status === undefined) return 'unreported';
  const conditions = status.conditions ?? [];
  if (status.phase === 'Faulted' || status.fault !== undefined) return 'faulted';
  if (status.phase === 'Assigned')
    return findCondition(conditions, 'Healthy')?.status === 'False' ? 'faulted' : 'assigned';
  if (status.phase === 'Claiming' || status.phase === 'Returning') return 'moving';
  if (findCondition(conditions, 'Offered')?.status === 'True') return 'offered';
  return (status.blockers ?? []).length > 0 ? 'blocked' : 'idle';
}

/** True when the next pod that asks for it may get it. */
export function isFree(group: SeenGroup): boolean {
  return groupState(group) === 'offered' && group.status?.lease === undefined;
}

/** Why it is not offered, in a word: kind of the fault or of the first blocker; empty when nothing is wrong. */
export function whyOf({ status }: SeenGroup): string {
  if (status === undefined) return 'not reported yet';
  const [blocker] = status.blockers ?? [];
  const healthy = findCondition(status.conditions ?? [], 'Healthy');
  return (
    status.fault?.reason ?? blocker?.kind ?? (healthy?.status === 'False' ? healthy.reason : '')
  );
}
