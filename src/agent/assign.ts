// Which observed group belongs to which actor. A recorded group keeps its actor over renumbering and over
// members that come and go; a free group goes by the leader that its policy gives it.
import type { GroupRecord } from '../ownership/record.ts';
import { type GroupMatch, matchPolicies } from '../policy/match.ts';
import type { PassthroughPolicy } from '../policy/policy.ts';
import type { DriverOf } from '../policy/select.ts';
import { comparePciAddresses, type PciAddress } from '../pci/address.ts';
import { defaultLeader, type IommuGroup, pciFunctions } from '../pci/group.ts';
import type { PciFunction } from '../pci/function.ts';

/** What one actor is responsible for, as far as this survey shows. */
export interface Assignment {
  readonly leader: PciAddress;
  /** Groups in which its members stand: none (all gone), one (as it should be), or more (split). */
  readonly groups: readonly IommuGroup[];
  readonly matched: GroupMatch;
}

const noMatch: GroupMatch = { match: null, passed: [] };

/** The driver that selectors mean: the recorded one for members that are claimed, else the bound one. */
export function driverBeforeClaim(records: Iterable<GroupRecord>): DriverOf {
  const original = new Map<PciAddress, string | null>();
  for (const record of records) {
    for (const member of record.members) original.set(member.address, member.originalDriver);
  }
  return (fn: PciFunction) => {
    const recorded = original.get(fn.address);
    if (recorded !== undefined) return recorded;
    return fn.driver.known ? fn.driver.value : null;
  };
}

/**
 * Assigns groups to leaders. Every record (also a quarantined one, by the leader its file names) gets an assignment, whatever was observed; a group without a
 * record gets one only while a policy selects something in it. Ordered by leader.
 */
export function assignGroups(
  groups: readonly IommuGroup[],
  records: readonly GroupRecord[],
  policies: readonly PassthroughPolicy[],
  quarantined: readonly PciAddress[] = [],
): readonly Assignment[] {
  const matched = matchPolicies(groups, policies, driverBeforeClaim(records));
  const recordedLeader = new Map<PciAddress, PciAddress>();
  for (const record of records) {
    for (const member of record.members) recordedLeader.set(member.address, record.leader);
  }
  for (const leader of quarantined) recordedLeader.set(leader, leader);
  const byLeader = new Map<PciAddress, IommuGroup[]>();
  for (const leader of [...records.map((record) => record.leader), ...quarantined])
    byLeader.set(leader, []);
  for (const group of groups) {
    for (const leader of leadersOf(group, recordedLeader, matched.get(group.key) ?? noMatch)) {
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), group]);
    }
  }
  return [...byLeader]
    .map(([leader, own]) => ({ leader, groups: own, matched: matchFor(leader, own, matched) }))
    .sort((a, b) => comparePciAddresses(a.leader, b.leader));
}

/** Recorded leaders of any member first; otherwise the leader of the match (or of a policy that was passed over). */
function leadersOf(
  group: IommuGroup,
  recordedLeader: ReadonlyMap<PciAddress, PciAddress>,
  matched: GroupMatch,
): readonly PciAddress[] {
  const recorded = new Set<PciAddress>();
  for (const fn of pciFunctions(group)) {
    const leader = recordedLeader.get(fn.address);
    if (leader !== undefined) recorded.add(leader);
  }
  if (recorded.size > 0) return [...recorded];
  if (matched.match !== null) return [matched.match.leader];
  const leader = matched.passed.length > 0 ? defaultLeader(group) : null;
  return leader === null ? [] : [leader];
}

function matchFor(
  leader: PciAddress,
  groups: readonly IommuGroup[],
  matched: ReadonlyMap<string, GroupMatch>,
): GroupMatch {
  const [only, ...more] = groups;
  if (only === undefined || more.length > 0) return noMatch;
  const found = matched.get(only.key) ?? noMatch;
  // A policy that would give the claimed group another leader waits until it is back with the host.
  return found.match !== null && found.match.leader !== leader ? { ...found, match: null } : found;
}
