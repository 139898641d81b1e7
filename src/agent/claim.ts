// The record of a new claim, made from a fresh look before anything is written to sysfs (R6).
import type { Blocker } from '../ownership/blockers.ts';
import type { Access, GroupRecord, Lease } from '../ownership/record.ts';
import { recordMembers } from '../ownership/verify.ts';
import type { ResourceName } from '../policy/policy.ts';
import { pciFunctions } from '../pci/group.ts';
import type { GroupCore } from './core.ts';
import { answerFor as promise } from './delivery.ts';
import type { Seen } from './state.ts';

/** A claim that may begin, or why it may not. */
export type ClaimDraft =
  | { readonly kind: 'ready'; readonly record: GroupRecord }
  | { readonly kind: 'blocked'; readonly blockers: readonly Blocker[] }
  | { readonly kind: 'impossible'; readonly why: string };

/**
 * Looks at the group again, judges it again and drafts the record of a claim. A group that is ours already
 * keeps what its record says about the members; one that is with the host (also after a reboot) is recorded
 * as it is now. `resource`: the name under which it is asked for, null for nobody yet. Writes nothing.
 */
export async function draftClaim(
  core: GroupCore,
  lease: Lease | null,
  resource: ResourceName | null,
): Promise<ClaimDraft> {
  const { state } = core;
  await core.look();
  const { seen } = state;
  if (seen === null || seen.look === null) return { kind: 'impossible', why: 'the device is gone' };
  if (state.blockers.length > 0) return { kind: 'blocked', blockers: state.blockers };
  if (seen.match === null) return { kind: 'impossible', why: 'no policy wants this group' };
  const { resourceName } = seen.match.policy;
  // The kubelet lists a holder under the name it asked for: under another one the holder would not be found.
  if (resource !== null && resourceName !== resource)
    return { kind: 'impossible', why: `it is offered as ${resourceName} now, not as ${resource}` };
  if (seen.bootId === null) return { kind: 'impossible', why: 'the boot id cannot be read' };
  return draftFrom(core, seen, lease);
}

function draftFrom(core: GroupCore, seen: Seen, lease: Lease | null): ClaimDraft {
  const { record } = core.state;
  const { look, match, bootId } = seen;
  if (look === null || match === null || bootId === null)
    return { kind: 'impossible', why: 'the device is gone' };
  // The policy was matched with what a survey saw; what has joined since has no consent, what has left is told here.
  const present = new Set(pciFunctions(look.group).map((fn) => fn.address));
  const left = match.consent.primaries.find((primary) => !present.has(primary));
  if (left !== undefined) return { kind: 'impossible', why: `${left} has left the group` };
  // Within one boot a recorded member's origin stands, whatever it looks like now: it may be half claimed.
  const earlier = record !== null && record.bootId === bootId ? record : null;
  const members = recordMembers(look, match.consent.primaries, earlier?.members ?? []);
  if (members === null) {
    return { kind: 'impossible', why: 'what to restore could not be read from every member' };
  }
  const { policy } = match;
  const { leader } = core.state;
  const taker = core.reservations.take(
    leader,
    members.map((member) => member.address),
  );
  if (taker !== null) return { kind: 'impossible', why: `the group is being taken as ${taker}` };
  return {
    kind: 'ready',
    record: {
      key: look.group.key,
      leader,
      groupNumber: look.group.number,
      bootId,
      phase: 'Claiming',
      members,
      resourceName: policy.resourceName,
      policyName: policy.name,
      vfioDriver: policy.vfioDriver,
      reset: policy.reset,
      nodeOwner: policy.deviceNodes,
      lease,
      resetDue: earlier !== null && earlier.resetDue,
      answer: lease === null ? null : answerFor(core, seen, look.group.number),
    },
  };
}

/** What Allocate promises now. */
export function answerFor(core: GroupCore, seen: Seen, groupNumber: number): GroupRecord['answer'] {
  return promise(core.ports.mode, groupNumber, accessOf(seen));
}

/** Auto: the group file where the container device exists, which every kernel has; else device files. */
function accessOf(seen: Seen): Access {
  const wanted = seen.match?.consent.access ?? 'Auto';
  if (wanted !== 'Auto') return wanted;
  return seen.node.vfioContainer.known && seen.node.vfioContainer.value ? 'Group' : 'Cdev';
}

/** One sentence with the first reason, how many more there are, and what to do. */
export function blockedMessage(blockers: readonly Blocker[]): string {
  const first = blockers[0];
  if (first === undefined) return 'the group cannot be released';
  const more = blockers.length > 1 ? ` (and ${blockers.length - 1} more)` : '';
  return `${first.message}${more}. ${first.remedy}`;
}
