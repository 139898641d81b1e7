// Groups that are not offered, gathered by what keeps them: forty groups with one reason are one thing to put right. Pure.
import { groupState } from './group-state.ts';
import type { SeenGroup } from './seen.ts';

/** One thing that keeps groups. */
export interface Obstacle {
  /** Kind of the blocker or of the fault. */
  readonly kind: string;
  /** What a person does about it; of a fault, its words. */
  readonly remedy: string;
  /** Names of the groups. */
  readonly groups: readonly string[];
}

function firstObstacle({ status }: SeenGroup): { kind: string; remedy: string } | null {
  if (status?.fault !== undefined)
    return { kind: status.fault.reason, remedy: status.fault.message };
  const [blocker] = status?.blockers ?? [];
  return blocker === undefined ? null : { kind: blocker.kind, remedy: blocker.remedy };
}

/** What keeps the blocked and faulted ones of these groups, most groups first. */
export function obstaclesOf(groups: readonly SeenGroup[]): readonly Obstacle[] {
  const kept = groups.filter((group) => ['blocked', 'faulted'].includes(groupState(group)));
  const found = new Map<string, { kind: string; remedy: string; groups: string[] }>();
  for (const group of kept) {
    const obstacle = firstObstacle(group);
    if (obstacle === null) continue;
    const entry = found.get(obstacle.kind) ?? { ...obstacle, groups: [] };
    entry.groups.push(group.metadata.name);
    found.set(obstacle.kind, entry);
  }
  return [...found.values()]
    .map((each) => ({ ...each, groups: each.groups.sort() }))
    .sort((a, b) => b.groups.length - a.groups.length || (a.kind < b.kind ? -1 : 1));
}

/** How many groups are in a state. */
export interface StateCounts {
  readonly assigned: number;
  readonly offered: number;
  readonly moving: number;
  readonly blocked: number;
  readonly faulted: number;
  readonly other: number;
}

/** Counts groups by state. */
export function countStates(groups: readonly SeenGroup[]): StateCounts {
  const counts = { assigned: 0, offered: 0, moving: 0, blocked: 0, faulted: 0, other: 0 };
  for (const group of groups) {
    const state = groupState(group);
    counts[state === 'idle' || state === 'unreported' ? 'other' : state] += 1;
  }
  return counts;
}
