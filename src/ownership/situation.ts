// The situation of one group in a handful of words: what was recorded, what the kernel shows, who is
// inside. Small on purpose: decide.ts answers every combination, and a test enumerates them all.
import type { PciFunction } from '../pci/function.ts';
import { endpoints, memberName, pciFunctions } from '../pci/group.ts';
import type { GroupLook } from './look.ts';
import type { GroupRecord, RecordedMember, RecordPhase } from './record.ts';

/** What stands in the record. `Quarantined`: a record exists but cannot be read. */
export type Recorded = 'None' | RecordPhase | 'Quarantined';

/** Whether the record was made in this boot; overrides and drivers of another boot are gone. */
export type Boot = 'Same' | 'Other';

/**
 * Recorded members against observed ones. `Missing`: some are gone. `Added`: all are there, in one group,
 * with newcomers beside them. `Changed`: some are gone and others came, or they stand in several groups now.
 * `Vanished`: none is there.
 */
export type Membership = 'Same' | 'Missing' | 'Added' | 'Changed' | 'Vanished';

/**
 * What the recorded endpoints are bound to. `Host`: each as it was before the claim. `Taken`: each on its
 * VFIO driver. `Partial`: anything between. `Unknown`: a driver could not be read, or has not let go yet.
 */
export type Binding = 'Host' | 'Taken' | 'Partial' | 'Unknown';

/** Whether anybody has a member open. */
export type InsideWord = 'Nobody' | 'Someone' | 'Unknown';

/** One situation. */
export interface Situation {
  readonly recorded: Recorded;
  readonly leased: boolean;
  readonly boot: Boot;
  readonly membership: Membership;
  readonly binding: Binding;
  readonly inside: InsideWord;
}

/** All words of each field, in the order of the documented table. */
export const situationWords = {
  recorded: ['None', 'Claiming', 'Claimed', 'Assigned', 'Returning', 'Quarantined'],
  leased: [false, true],
  boot: ['Same', 'Other'],
  membership: ['Same', 'Missing', 'Added', 'Changed', 'Vanished'],
  binding: ['Host', 'Taken', 'Partial', 'Unknown'],
  inside: ['Nobody', 'Someone', 'Unknown'],
} as const satisfies { readonly [Field in keyof Situation]: readonly Situation[Field][] };

/** Recorded members against the members of the one group they were found in (null: none was found). */
function membershipOf(record: GroupRecord, look: GroupLook | null, split: boolean): Membership {
  if (look === null) return 'Vanished';
  if (split) return 'Changed';
  const observed = new Map(look.group.members.map((member) => [memberName(member), member]));
  const missing = record.members.some((member) => !observed.has(member.address));
  const recorded = new Map<string, RecordedMember>(
    record.members.map((member) => [member.address, member]),
  );
  let added = false;
  for (const [name, member] of observed) {
    const before = recorded.get(name);
    if (before === undefined) added = true;
    else if (member.kind === 'pci' && isAnotherDevice(before, member.fn)) return 'Changed';
  }
  if (missing) return added ? 'Changed' : 'Missing';
  return added ? 'Added' : 'Same';
}

/** Another card in the same slot: same address, other ids. */
function isAnotherDevice(before: RecordedMember, fn: PciFunction): boolean {
  if (!fn.ids.known) return false;
  return fn.ids.value.vendor !== before.vendor || fn.ids.value.device !== before.device;
}

/** What the recorded endpoints that are present are bound to. */
export function bindingOf(record: GroupRecord, look: GroupLook): Binding {
  const functions = new Map(pciFunctions(look.group).map((fn) => [fn.address, fn]));
  let host = true;
  let taken = true;
  for (const member of record.members) {
    const fn = functions.get(member.address);
    if (fn === undefined || member.role === 'bridge') continue;
    if (!fn.driver.known || !fn.vfioDevice.known) return 'Unknown';
    // No link proves nothing while an unbind is going on, perhaps one that an earlier life of this agent began.
    if (fn.driver.value === null && !hasLetGo(look, member)) return 'Unknown';
    host &&= fn.driver.value === member.originalDriver && overrideRestored(look, member);
    taken &&= isTaken(fn, record.vfioDriver);
  }
  // A group that was on VFIO before the claim is both: then it counts as taken while it is to be taken.
  if (taken) return host && record.phase === 'Returning' ? 'Host' : 'Taken';
  return host ? 'Host' : 'Partial';
}

/** Bound to the VFIO driver, and through with its probe: the VFIO device exists. */
function isTaken(fn: PciFunction, vfioDriver: string): boolean {
  return (
    fn.driver.known &&
    fn.driver.value === vfioDriver &&
    fn.vfioDevice.known &&
    fn.vfioDevice.value !== null
  );
}

function hasLetGo(look: GroupLook, member: RecordedMember): boolean {
  const detail = look.details.find((candidate) => candidate.address === member.address);
  return detail !== undefined && detail.leavingDriver.known && detail.leavingDriver.value === null;
}

function overrideRestored(look: GroupLook, member: RecordedMember): boolean {
  const detail = look.details.find((candidate) => candidate.address === member.address);
  if (detail === undefined || !detail.driverOverride.known) return false;
  return detail.driverOverride.value === member.originalOverride;
}

/** The situation of a recorded group. `split`: its members were found in more than one group. */
export function situationOf(
  record: GroupRecord,
  look: GroupLook | null,
  bootId: string,
  split = false,
): Situation {
  return {
    recorded: record.phase,
    leased: record.lease !== null,
    boot: record.bootId === bootId ? 'Same' : 'Other',
    membership: membershipOf(record, look, split),
    binding: look === null ? 'Host' : bindingOf(record, look),
    inside: look === null ? 'Nobody' : insideWord(look),
  };
}

function insideWord(look: GroupLook): InsideWord {
  switch (look.inside.kind) {
    case 'nobody':
      return 'Nobody';
    case 'someone':
      return 'Someone';
    case 'unknown':
      // Nobody can be inside through VFIO while no member is bound to it.
      return endpoints(look.group).some(mayBeOpen) ? 'Unknown' : 'Nobody';
  }
}

function mayBeOpen(fn: PciFunction): boolean {
  return !fn.vfioDevice.known || fn.vfioDevice.value !== null;
}
