// Which policy gets which group of this node, what it permits there, and why the others do not get it.
import type { Consent } from '../ownership/consent.ts';
import { slotOf, type PciAddress } from '../pci/address.ts';
import type { PciFunction } from '../pci/function.ts';
import { endpoints, type GroupKey, type IommuGroup } from '../pci/group.ts';
import type { PassthroughPolicy } from './policy.ts';
import { type DriverOf, selectsAny } from './select.ts';

/** A policy that selects functions of a group but does not get it. */
export interface Passed {
  readonly policyName: string;
  /** `OutOfRange`: more or fewer primaries than it takes; `Outranked`: another policy goes first. */
  readonly why: 'OutOfRange' | 'Outranked';
  /** One sentence for the policy's status. */
  readonly message: string;
}

/** The policy that gets a group. */
export interface Match {
  readonly policy: PassthroughPolicy;
  /** Lowest primary: the leader, the device ID. */
  readonly leader: PciAddress;
  readonly consent: Consent;
}

/** The outcome for one group. */
export interface GroupMatch {
  readonly match: Match | null;
  readonly passed: readonly Passed[];
}

/** True when a policy applies to a node with these labels. */
export function appliesTo(
  policy: PassthroughPolicy,
  nodeLabels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(policy.nodeSelector).every(([label, value]) => nodeLabels[label] === value);
}

/** Higher priority first; equal: older first; same age: by name, so that every node decides alike. */
function comparePolicies(a: PassthroughPolicy, b: PassthroughPolicy): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

/**
 * Matches every group. `policies`: those that apply to this node, in any order. `driverOf` tells the driver
 * that selectors mean. A group appears in the result only when a policy selects one of its functions.
 */
export function matchPolicies(
  groups: readonly IommuGroup[],
  policies: readonly PassthroughPolicy[],
  driverOf: DriverOf,
): ReadonlyMap<GroupKey, GroupMatch> {
  const ranked = [...policies].sort(comparePolicies);
  const result = new Map<GroupKey, GroupMatch>();
  for (const group of groups) {
    const outcome = matchGroup(group, ranked, driverOf);
    if (outcome.match !== null || outcome.passed.length > 0) result.set(group.key, outcome);
  }
  return result;
}

function matchGroup(
  group: IommuGroup,
  ranked: readonly PassthroughPolicy[],
  driverOf: DriverOf,
): GroupMatch {
  const takeable = endpoints(group);
  const passed: Passed[] = [];
  let match: Match | null = null;
  for (const policy of ranked) {
    const primaries = takeable.filter((fn) => selectsAny(policy.devices, fn, driverOf));
    const leader = primaries[0]?.address;
    if (leader === undefined) continue;
    if (match !== null) {
      passed.push(outranked(policy, match.policy, leader));
      continue;
    }
    const { min, max } = policy.primaries;
    if (primaries.length < min || primaries.length > max) {
      passed.push(outOfRange(policy, primaries.length, leader));
      continue;
    }
    const addresses = primaries.map((fn) => fn.address);
    match = { policy, leader, consent: consentOf(policy, addresses, takeable, driverOf) };
  }
  return { match, passed };
}

function outranked(
  policy: PassthroughPolicy,
  winner: PassthroughPolicy,
  leader: PciAddress,
): Passed {
  const why = winner.priority === policy.priority ? 'is older' : `has priority ${winner.priority}`;
  return {
    policyName: policy.name,
    why: 'Outranked',
    message: `group of ${leader} goes to policy ${winner.name}, which ${why}`,
  };
}

function outOfRange(policy: PassthroughPolicy, count: number, leader: PciAddress): Passed {
  const { min, max } = policy.primaries;
  return {
    policyName: policy.name,
    why: 'OutOfRange',
    message: `group of ${leader} has ${count} selected devices; primaries allows ${min} to ${max}`,
  };
}

function consentOf(
  policy: PassthroughPolicy,
  primaries: readonly PciAddress[],
  takeable: readonly PciFunction[],
  driverOf: DriverOf,
): Consent {
  const permitted = new Set(primaries);
  const slots = new Set(primaries.map(slotOf));
  for (const fn of takeable) {
    if (permitsCompanion(policy, fn, slots, driverOf)) permitted.add(fn.address);
  }
  return {
    primaries,
    companions: policy.companions,
    permits: (address) => permitted.has(address),
    waive: policy.waive,
    vfioDriver: policy.vfioDriver,
    access: policy.access,
    reset: policy.reset,
  };
}

function permitsCompanion(
  policy: PassthroughPolicy,
  fn: PciFunction,
  slots: ReadonlySet<string>,
  driverOf: DriverOf,
): boolean {
  switch (policy.companions) {
    case 'Any':
      return true;
    case 'SameSlot':
      return slots.has(slotOf(fn.address));
    case 'Listed':
      return selectsAny(policy.companionDevices, fn, driverOf);
  }
}
