// R3: may a container start now? And the record of a claim, made from a look before the first write.
import { isBridge, type PciFunction } from '../pci/function.ts';
import { pciFunctions } from '../pci/group.ts';
import type { PciAddress } from '../pci/address.ts';
import type { GroupLook } from './look.ts';
import { stanceOf } from './neutral.ts';
import type { GroupRecord, MemberRole, RecordedMember } from './record.ts';

/** One reason why the group is not wholly userspace's. */
export interface Unfit {
  readonly address: string;
  readonly message: string;
}

/**
 * R3: every member neutral, every non-bridge member of the record bound to its VFIO driver, and no member
 * that the record does not know. Empty: the container may start.
 */
export function unfitMembers(record: GroupRecord, look: GroupLook): readonly Unfit[] {
  const recorded = new Map<string, RecordedMember>(record.members.map((m) => [m.address, m]));
  const present = new Set<string>();
  const found: Unfit[] = [];
  for (const member of look.group.members) {
    if (member.kind === 'other') {
      found.push({
        address: member.name,
        message: `${member.name} is not a PCI device and is in the group`,
      });
      continue;
    }
    present.add(member.fn.address);
    const problem = recorded.has(member.fn.address)
      ? unfit(member.fn, record.vfioDriver)
      : 'has joined the group since it was claimed';
    if (problem !== null) {
      found.push({ address: member.fn.address, message: `${member.fn.address} ${problem}` });
    }
  }
  for (const address of recorded.keys()) {
    if (!present.has(address))
      found.push({ address, message: `${address} is gone from the group` });
  }
  return found;
}

function unfit(fn: PciFunction, vfioDriver: string): string | null {
  const stance = stanceOf(fn);
  const driver = fn.driver.known ? (fn.driver.value ?? 'no driver') : 'an unknown driver';
  if (isBridge(fn)) {
    return stance === 'Port' || stance === 'Driverless' ? null : `is a bridge held by ${driver}`;
  }
  if (stance === 'Vfio' && driver === vfioDriver) return null;
  return `is bound to ${driver}, not to ${vfioDriver}`;
}

/**
 * What every member is now, to be given back later; members of an `earlier` record of this boot keep what it
 * says, for what they are now may be our own doing. Null when a driver or override cannot be read (R6, R7).
 */
export function recordMembers(
  look: GroupLook,
  primaries: readonly PciAddress[],
  earlier: readonly RecordedMember[] = [],
): readonly RecordedMember[] | null {
  const members: RecordedMember[] = [];
  for (const fn of pciFunctions(look.group)) {
    const before = earlier.find((member) => member.address === fn.address);
    if (before !== undefined) {
      members.push({ ...before, role: roleOf(fn, primaries) });
      continue;
    }
    const detail = look.details.find((candidate) => candidate.address === fn.address);
    if (!fn.driver.known || !fn.ids.known || detail?.driverOverride.known !== true) return null;
    members.push({
      address: fn.address,
      role: roleOf(fn, primaries),
      vendor: fn.ids.value.vendor,
      device: fn.ids.value.device,
      originalDriver: fn.driver.value,
      originalOverride: detail.driverOverride.value,
    });
  }
  return members;
}

/** Role of a member under a policy that selected `primaries`. */
export function roleOf(fn: PciFunction, primaries: readonly PciAddress[]): MemberRole {
  if (isBridge(fn)) return 'bridge';
  return primaries.includes(fn.address) ? 'primary' : 'companion';
}
