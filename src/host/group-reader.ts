// IOMMU groups as /sys/kernel/iommu_groups has them, with every member whatever its bus. Membership is never
// guessed: a member that one place names and the other does not is a member.
import { type Known, known, type Unknown } from '../base/known.ts';
import type { KernelFs } from '../kernel/fs.ts';
import { comparePciAddresses, isPciAddress, type PciAddress } from '../pci/address.ts';
import type { PciFunction } from '../pci/function.ts';
import {
  groupKeyOf,
  type GroupMember,
  type IommuGroup,
  memberName,
  type OtherMember,
  type ReservedRegion,
} from '../pci/group.ts';
import {
  type Form,
  isAbsent,
  lineForm,
  orAbsent,
  readAttribute,
  readLinkName,
  readNames,
} from './reading.ts';

/** Where the kernel lists its groups. */
export const groupsFolder = '/sys/kernel/iommu_groups';

/** A group before its members are looked up. */
export interface GroupListing {
  readonly number: number;
  readonly memberNames: readonly string[];
  readonly others: ReadonlyMap<string, OtherMember>;
  readonly name: Known<string | null>;
  readonly domainType: Known<string>;
  readonly reservedRegions: Known<readonly ReservedRegion[]>;
}

const typeForm: Form<string> = {
  pattern: /^([A-Za-z-]{1,32})\n$/,
  allowed: 'a domain type such as DMA-FQ',
  value: (match) => match[1] ?? '',
};

// No line at all is allowed: a group may have no reserved region (iommu_group_show_resv_regions).
const regionsForm: Form<readonly ReservedRegion[]> = {
  pattern: /^(?:0x[0-9a-f]+ 0x[0-9a-f]+ [a-z-]+\n)*$/,
  allowed: 'lines of start, end and type',
  value: (match) =>
    match[0]
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [startHex = '', endHex = '', type = ''] = line.split(' ');
        return { startHex, endHex, type };
      }),
};

/**
 * Reads one group; null when it is not there (any more). Members of other buses are read here and now. `before`: the
 * group of this number a little earlier; what it said of itself stands as long as it has the same members, and saves
 * the reads that take a lock.
 */
export async function readGroup(
  kernel: KernelFs,
  number: number,
  unreadable: Unknown[],
  before: IommuGroup | null = null,
): Promise<GroupListing | null> {
  const folder = `${groupsFolder}/${number}`;
  const [entries, members] = await Promise.all([
    readNames(kernel, folder),
    readNames(kernel, `${folder}/devices`),
  ]);
  if (!entries.known || !members.known) {
    const missing = entries.known ? members : entries;
    if (!missing.known && !isAbsent(missing)) unreadable.push(missing);
    return null;
  }
  const same = before?.key === groupKeyOf(members.value) ? before : null;
  // These take the group's mutex, so they are made by lanes: all asked at once, they share one message.
  const [name, domainType, reservedRegions] = await Promise.all([
    entries.value.includes('name') ? readName(kernel, folder) : known(null),
    same?.domainType.known ? same.domainType : readAttribute(kernel, `${folder}/type`, typeForm),
    readRegions(kernel, folder, same),
  ]);
  const others = new Map<string, OtherMember>();
  const memberNames = [];
  const pciNames = await Promise.all(
    members.value.map((linked) => pciNameOf(kernel, folder, linked)),
  );
  for (const [at, linked] of members.value.entries()) {
    const pci = pciNames[at] ?? null;
    memberNames.push(pci ?? linked);
    if (pci === null) others.set(linked, await readOther(kernel, folder, linked));
  }
  return { number, memberNames, others, name, domainType, reservedRegions };
}

function readRegions(
  kernel: KernelFs,
  folder: string,
  same: IommuGroup | null,
): Promise<Known<readonly ReservedRegion[]>> {
  if (same?.reservedRegions.known) return Promise.resolve(same.reservedRegions);
  return readAttribute(kernel, `${folder}/reserved_regions`, regionsForm);
}

async function readName(kernel: KernelFs, folder: string): Promise<Known<string | null>> {
  return orAbsent(await readAttribute(kernel, `${folder}/name`, lineForm), null);
}

/** The address of a PCI member. A link named after another device's name has ".0" at its end (iommu_group_alloc_device). */
async function pciNameOf(
  kernel: KernelFs,
  folder: string,
  linked: string,
): Promise<PciAddress | null> {
  if (isPciAddress(linked)) return linked;
  if (!/^[0-9a-f]{4,8}:[0-9a-f]{2}:/.test(linked)) return null;
  const target = await readLinkName(kernel, `${folder}/devices/${linked}`);
  return target.known && isPciAddress(target.value) ? target.value : null;
}

async function readOther(kernel: KernelFs, folder: string, name: string): Promise<OtherMember> {
  const device = `${folder}/devices/${name}`;
  return {
    kind: 'other',
    name,
    bus: orAbsent(await readLinkName(kernel, `${device}/subsystem`), null),
    driver: orAbsent(await readLinkName(kernel, `${device}/driver`), null),
  };
}

/** What is known of functions when groups are put together. */
export interface KnownFunctions {
  readonly functions: ReadonlyMap<PciAddress, PciFunction>;
  /** Functions by the group that their own `iommu_group` link names. */
  readonly pointing: ReadonlyMap<number, readonly PciFunction[]>;
  /** Functions that exist and cannot be read: members that nobody can vouch for. */
  readonly unreadable: ReadonlyMap<string, Unknown>;
}

/** The group of a listing, with every member that either side names. */
export function assembleGroup(listing: GroupListing, facts: KnownFunctions): IommuGroup {
  const members = new Map<string, GroupMember>();
  for (const name of listing.memberNames) {
    const fn = isPciAddress(name) ? facts.functions.get(name) : undefined;
    const other = listing.others.get(name);
    const broken = facts.unreadable.get(name);
    if (fn !== undefined) members.set(name, { kind: 'pci', fn });
    else if (other !== undefined) members.set(name, other);
    else if (broken !== undefined)
      members.set(name, { kind: 'other', name, bus: broken, driver: broken });
  }
  for (const fn of facts.pointing.get(listing.number) ?? [])
    members.set(fn.address, { kind: 'pci', fn });
  const sorted = [...members.values()].sort(compareMembers);
  return {
    key: groupKeyOf(sorted.map(memberName)),
    number: listing.number,
    members: sorted,
    name: listing.name,
    domainType: listing.domainType,
    reservedRegions: listing.reservedRegions,
  };
}

function compareMembers(a: GroupMember, b: GroupMember): number {
  if (a.kind === 'pci' && b.kind === 'pci') return comparePciAddresses(a.fn.address, b.fn.address);
  if (a.kind !== b.kind) return a.kind === 'pci' ? -1 : 1;
  return memberName(a) < memberName(b) ? -1 : 1;
}
