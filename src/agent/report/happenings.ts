// What a person is told as Events when a group changes: a closed list of reasons, and which change has which. Pure.
import type { GroupView } from '../view.ts';
import { isMixed } from './group-status.ts';

/** How an Event with this reason looks, and what it means; docs/reference/kubernetes-events.md is made from it. */
export interface ReasonEntry {
  readonly type: 'Normal' | 'Warning';
  readonly action: string;
  readonly meaning: string;
}

/** Every reason that the agent uses. */
export const groupReasons = {
  GroupReleasable: {
    type: 'Normal',
    action: 'Offering',
    meaning: 'Nothing holds the group any more; it is offered.',
  },
  GroupBlocked: {
    type: 'Warning',
    action: 'Withdrawing',
    meaning:
      'Something holds the group: it is not offered until that ends. The note names the first reason.',
  },
  GroupClaimed: {
    type: 'Normal',
    action: 'Claiming',
    meaning: 'Every member was taken from the host.',
  },
  GroupAssigned: {
    type: 'Normal',
    action: 'Assigning',
    meaning: 'A pod has the group.',
  },
  GroupReturned: {
    type: 'Normal',
    action: 'Returning',
    meaning: 'Every member is back with the host as it was.',
  },
  GroupFaulted: {
    type: 'Warning',
    action: 'Stopping',
    meaning: 'The group needs a person, or a fact that changes.',
  },
  GroupDegraded: {
    type: 'Warning',
    action: 'Guarding',
    meaning:
      'A pod has the group, and it is not whole any more. Nothing is touched while the pod has it.',
  },
  LeaseKept: {
    type: 'Warning',
    action: 'Guarding',
    meaning:
      'The pod that had the group is gone, and somebody still uses it: the group stays out until that ends. The note says what to look for.',
  },
  OwnershipMixed: {
    type: 'Warning',
    action: 'Guarding',
    meaning:
      'A kernel driver holds one member while another is bound to VFIO. The note names it and the driver.',
  },
} as const satisfies Readonly<Record<string, ReasonEntry>>;

/** One of the reasons. */
export type GroupReason = keyof typeof groupReasons;

/** One thing to tell. */
export interface GroupHappening {
  readonly reason: GroupReason;
  readonly note: string;
}

/** What to tell about a change. `before`: null when the group is new to this agent, of which only trouble is told. */
export function happenings(before: GroupView | null, now: GroupView): readonly GroupHappening[] {
  const found: GroupHappening[] = [];
  const phase = phaseHappening(before, now);
  if (phase !== null) found.push(phase);
  if (isMixed(now) && (before === null || !isMixed(before)))
    found.push({ reason: 'OwnershipMixed', note: mixedNote(now) });
  const blocked = blockedHappening(before, now);
  if (blocked !== null) found.push(blocked);
  return found;
}

/** What is wrong, and which members kernel drivers hold: they are what a person goes to. */
function mixedNote({ why, members }: GroupView): string {
  const held = members.filter(
    ({ role, driver, vfioDevice }) => role !== 'bridge' && driver !== null && vfioDevice === null,
  );
  const named = held.map(({ address, driver }) => `${address} has ${driver}`).join(', ');
  const what = why ?? 'members have drivers of both kinds';
  return named === '' ? what : `${what}: ${named}`;
}

function phaseHappening(before: GroupView | null, now: GroupView): GroupHappening | null {
  if (before?.phase === now.phase) return null;
  switch (now.phase) {
    case 'Faulted':
      return { reason: 'GroupFaulted', note: now.fault?.message ?? now.why ?? 'it needs a person' };
    case 'Claimed':
      return before === null ? null : { reason: 'GroupClaimed', note: `${taken(now)} taken` };
    case 'Assigned':
      return before === null ? null : { reason: 'GroupAssigned', note: `${taken(now)} taken` };
    case 'WithHost':
      if (before === null || before.phase === 'Faulted') return null;
      return { reason: 'GroupReturned', note: `${taken(now)} back with the host` };
    case 'Claiming':
    case 'Returning':
      return null;
  }
}

function taken({ members }: GroupView): string {
  const endpoints = members.filter(({ role }) => role !== 'bridge').map(({ address }) => address);
  return endpoints.length === 1 ? `${endpoints[0]} is` : `${endpoints.join(', ')} are`;
}

function blockedHappening(before: GroupView | null, now: GroupView): GroupHappening | null {
  if (now.phase === 'Assigned') {
    const degraded = !now.healthy && now.why !== null && before?.healthy !== false;
    return degraded ? { reason: 'GroupDegraded', note: now.why } : null;
  }
  if (now.phase !== 'WithHost' || now.resourceName === null) return null;
  const [blocker] = now.blockers;
  const [earlier] = before?.blockers ?? [];
  if (blocker === undefined) {
    return earlier === undefined
      ? null
      : { reason: 'GroupReleasable', note: `offered as ${now.resourceName}` };
  }
  if (before?.phase === 'WithHost' && earlier?.kind === blocker.kind) return null;
  return { reason: 'GroupBlocked', note: `${blocker.message}. ${blocker.remedy}` };
}
