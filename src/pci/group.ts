// An IOMMU group: a set of members that the IOMMU cannot tell apart. Its kernel number is an attribute,
// never a key: numbers are reused at once and change over reboots (drivers/iommu/iommu.c, the group IDA).
import type { Brand } from '../base/brand.ts';
import type { Known } from '../base/known.ts';
import { comparePciAddresses, type PciAddress } from './address.ts';
import { isBridge, type PciFunction } from './function.ts';

/** The sorted member names, joined with commas: what a group is known by over renumbering. */
export type GroupKey = Brand<string, 'GroupKey'>;

/** A member that is not a PCI function (platform, ACPI, amba): it cannot be released to userspace by us. */
export interface OtherMember {
  readonly kind: 'other';
  /** Device name as linked in `devices/` (`MSFT0201:00`). */
  readonly name: string;
  /** Basename of the `subsystem` link, when it can be read. */
  readonly bus: Known<string | null>;
  readonly driver: Known<string | null>;
}

/** A PCI member. */
export interface PciMember {
  readonly kind: 'pci';
  readonly fn: PciFunction;
}

/** One device of a group. */
export type GroupMember = PciMember | OtherMember;

/** One line of `reserved_regions`. `direct` (not direct-relaxable) makes the group unassignable: RMRR. */
export interface ReservedRegion {
  readonly startHex: string;
  readonly endHex: string;
  readonly type: string;
}

/** An IOMMU group as observed now. Members are sorted: PCI functions by address, then the others by name. */
export interface IommuGroup {
  readonly key: GroupKey;
  readonly number: number;
  readonly members: readonly GroupMember[];
  /** `name`: "vfio-noiommu" marks groups without any isolation; null for ordinary groups. */
  readonly name: Known<string | null>;
  /** `type`: DMA, DMA-FQ, identity, … */
  readonly domainType: Known<string>;
  readonly reservedRegions: Known<readonly ReservedRegion[]>;
}

/** Name of any member: its PCI address or its device name. */
export function memberName(member: GroupMember): string {
  return member.kind === 'pci' ? member.fn.address : member.name;
}

/** The key of a member set, in any order. */
export function groupKeyOf(memberNames: readonly string[]): GroupKey {
  return [...memberNames].sort().join(',') as GroupKey;
}

/** The PCI functions of a group, in address order. */
export function pciFunctions(group: IommuGroup): readonly PciFunction[] {
  return group.members
    .filter((member) => member.kind === 'pci')
    .map((member) => member.fn)
    .sort((a, b) => comparePciAddresses(a.address, b.address));
}

/** The functions that have to be bound to VFIO when the group is taken: all but the bridges. */
export function endpoints(group: IommuGroup): readonly PciFunction[] {
  return pciFunctions(group).filter((fn) => !isBridge(fn));
}

/** The address a group goes by while no policy selects a primary: its lowest endpoint, else its lowest bridge. */
export function defaultLeader(group: IommuGroup): PciAddress | null {
  return endpoints(group)[0]?.address ?? pciFunctions(group)[0]?.address ?? null;
}
