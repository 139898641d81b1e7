// A coordination.k8s.io/v1 Lease, and whether it may be taken: pure. Nobody's clock is compared with anybody
// else's; what counts is for how long the lease has not been seen to change here.
import type { KubeObject } from '../objects.ts';

/** A Lease as it is read and written. */
export interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
    readonly leaseTransitions?: number | null;
  };
}

/** What was seen of a lease, and when (local monotonic time). */
export interface Observation {
  readonly lease: LeaseObject;
  readonly seenAtMs: number;
}

/** What is known after looking: a lease that has not changed keeps the time at which it was first seen so. */
export function observe(
  before: Observation | null,
  lease: LeaseObject,
  nowMs: number,
): Observation {
  const same =
    before !== null &&
    before.lease.metadata.uid === lease.metadata.uid &&
    before.lease.metadata.resourceVersion === lease.metadata.resourceVersion;
  return same ? before : { lease, seenAtMs: nowMs };
}

/** True when `identity` may take the lease. */
export function mayTake(seen: Observation, identity: string, nowMs: number): boolean {
  const { holderIdentity, leaseDurationSeconds } = seen.lease.spec ?? {};
  if (!holderIdentity || holderIdentity === identity) return true;
  return nowMs >= seen.seenAtMs + (leaseDurationSeconds ?? 0) * 1000;
}

/** The lease as `identity` writes it when it takes or renews it. */
export function heldBy(
  lease: LeaseObject,
  identity: string,
  at: { readonly durationSeconds: number; readonly now: string },
): LeaseObject {
  const { spec = {} } = lease;
  const mine = spec.holderIdentity === identity;
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: at.durationSeconds,
      acquireTime: mine ? (spec.acquireTime ?? at.now) : at.now,
      renewTime: at.now,
      // A lease that had no holder yet changes hands for the first time now.
      leaseTransitions: mine ? (spec.leaseTransitions ?? 0) : (spec.leaseTransitions ?? -1) + 1,
    },
  };
}

/** The lease as its holder gives it back: the next one need not wait. */
export function givenBack(lease: LeaseObject, now: string): LeaseObject {
  return {
    ...lease,
    spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now },
  };
}
