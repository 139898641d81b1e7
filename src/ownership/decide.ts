// What to do next about a group, for every situation there is: the recovery table, and at the same time
// the only place that says how a running group goes on. Total: a test enumerates all combinations.
import { assertNever } from '../base/assert.ts';
import type { Situation } from './situation.ts';

/** Why a group needs a person, or a fact that changes. */
export type FaultReason =
  | 'RecordUnreadable'
  | 'MembersChanged'
  | 'TakenByOthers'
  | 'RestoreFailed'
  | 'ClaimFailed'
  | 'ResetFailed';

/**
 * The next thing to do.
 * Leave: nothing of ours. Take: go on claiming. Settle: everything is taken, write that down. Hold: keep as
 * it is. AwaitHolder: a lease from before a reboot or a re-plug; the host has the members until the kubelet
 * starts the container again. Return: give back. Finish: all is back, forget the record. Wait: something may
 * be inside, touch nothing. Degraded: leased, but no longer whole; touch nothing, say so. Fault: needs a person.
 */
export type Decision =
  | { readonly kind: 'Leave' }
  | { readonly kind: 'Take' }
  | { readonly kind: 'Settle' }
  | { readonly kind: 'Hold' }
  | { readonly kind: 'AwaitHolder' }
  | { readonly kind: 'Return' }
  | { readonly kind: 'Finish' }
  | { readonly kind: 'Wait'; readonly why: string }
  | { readonly kind: 'Degraded'; readonly why: string }
  | { readonly kind: 'Fault'; readonly reason: FaultReason };

/** The decision for a situation. Pure and total. */
export function decide(situation: Situation): Decision {
  switch (situation.recorded) {
    case 'None':
      return { kind: 'Leave' };
    case 'Quarantined':
      return { kind: 'Fault', reason: 'RecordUnreadable' };
    case 'Claiming':
      return decideClaiming(situation);
    case 'Claimed':
      return decideClaimed(situation);
    case 'Assigned':
      return decideAssigned(situation);
    case 'Returning':
      return decideReturning(situation);
    default:
      return assertNever(situation.recorded, 'recorded phase');
  }
}

const somebody = 'somebody may have a member open';

/** A claim that was begun. The container has not started: whoever is inside is not its holder. */
function decideClaiming(situation: Situation): Decision {
  if (situation.membership === 'Vanished') return gone(situation);
  if (situation.boot === 'Other' && !situation.leased) return { kind: 'Finish' };
  if (situation.binding === 'Unknown')
    return { kind: 'Wait', why: 'a driver could not be read or has not let go yet' };
  if (situation.inside !== 'Nobody') return { kind: 'Wait', why: somebody };
  if (situation.boot === 'Other') return afterReboot(situation);
  // Not whole any more: a claim of a part is never finished, what was taken goes back.
  if (situation.membership !== 'Same') return { kind: 'Return' };
  return situation.binding === 'Taken' ? { kind: 'Settle' } : { kind: 'Take' };
}

/** Taken, without a tenant. */
function decideClaimed(situation: Situation): Decision {
  if (situation.membership === 'Vanished') return gone(situation);
  if (situation.boot === 'Other' && !situation.leased) return { kind: 'Finish' };
  if (situation.binding === 'Unknown')
    return { kind: 'Wait', why: 'a driver could not be read or has not let go yet' };
  if (situation.inside !== 'Nobody') return { kind: 'Wait', why: somebody };
  if (situation.boot === 'Other') return afterReboot(situation);
  if (situation.membership === 'Same' && situation.binding === 'Taken') return { kind: 'Hold' };
  return { kind: 'Return' };
}

/** Out with a tenant: R4 and R9, nothing is touched whatever happened. */
function decideAssigned(situation: Situation): Decision {
  if (situation.membership === 'Vanished') return gone(situation);
  if (situation.inside !== 'Nobody') {
    return whole(situation) ? { kind: 'Hold' } : { kind: 'Degraded', why: degradation(situation) };
  }
  if (situation.binding === 'Unknown')
    return { kind: 'Wait', why: 'a driver could not be read or has not let go yet' };
  if (situation.boot === 'Other') return afterReboot(situation);
  if (whole(situation)) return { kind: 'Hold' };
  // Re-plugged devices, or a person unbound them all: as after a reboot, the host has them.
  if (situation.membership === 'Same' && situation.binding === 'Host')
    return { kind: 'AwaitHolder' };
  return { kind: 'Degraded', why: degradation(situation) };
}

function decideReturning(situation: Situation): Decision {
  if (situation.membership === 'Vanished' || situation.boot === 'Other') return { kind: 'Finish' };
  if (situation.binding === 'Unknown')
    return { kind: 'Wait', why: 'a driver could not be read or has not let go yet' };
  if (situation.inside !== 'Nobody') return { kind: 'Wait', why: somebody };
  return situation.binding === 'Host' ? { kind: 'Finish' } : { kind: 'Return' };
}

/**
 * The record is of another boot: nothing that we wrote is left, whatever the members are bound to now is the
 * host's doing and is not touched. Without a lease it is forgotten (above); a lease waits for its holder.
 */
function afterReboot(situation: Situation): Decision {
  if (!situation.leased) return { kind: 'Finish' };
  if (situation.membership === 'Same') return { kind: 'AwaitHolder' };
  return { kind: 'Degraded', why: degradation(situation) };
}

/** Every member has gone; driver_override went with them, so nothing is left to give back. */
function gone(situation: Situation): Decision {
  return situation.leased
    ? { kind: 'Degraded', why: 'every member has been removed from the machine' }
    : { kind: 'Finish' };
}

function whole(situation: Situation): boolean {
  return situation.membership === 'Same' && situation.binding === 'Taken';
}

function degradation(situation: Situation): string {
  switch (situation.membership) {
    case 'Missing':
      return 'a member has been removed from the machine';
    case 'Added':
      return 'a device has joined the group';
    case 'Changed':
      return 'the members of the group have changed';
    case 'Vanished':
      return 'every member has been removed from the machine';
    case 'Same':
      return 'a member is not bound to its VFIO driver';
  }
}
