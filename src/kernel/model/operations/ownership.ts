// DMA ownership of a group: the decisions of drivers/iommu/iommu.c (iommu_device_use_default_domain,
// iommu_group_claim_dma_owner, iommu_device_claim_dma_owner and their counterparts). All return an errno or null.
import { assert } from '../../../base/assert.ts';
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { Group } from '../objects/group.ts';

/** A native driver is about to bind to a member. */
export function useDefaultDomain(machine: Machine, group: Group | null): Errno | null {
  if (group === null || !machine.profile.ownership) return null;
  if (!group.hasDefaultDomain && machine.profile.bindNeedsDefaultDomain) return 'EPROBE_DEFER';
  if (group.ownerCount > 0 && group.domain !== 'default') return 'EBUSY';
  group.ownerCount += 1;
  return null;
}

/** A native driver has left a member. */
export function unuseDefaultDomain(machine: Machine, group: Group | null): void {
  if (group === null || !machine.profile.ownership) return;
  // The kernel warns and goes on; here it would be a bug of the model.
  assert(group.ownerCount > 0, 'the default domain is given back by one who used it');
  group.ownerCount -= 1;
}

/** True when a member has memory that must stay mapped one to one (an RMRR that is not relaxable). */
export function isDirectMapped(group: Group): boolean {
  for (const device of group.devices) {
    if (device.kind !== 'pci') continue;
    if (device.spec.reservedRegions.some((line) => /\bdirect$/.test(line.trim()))) return true;
  }
  return false;
}

/** __iommu_take_dma_ownership. */
function takeOwnership(machine: Machine, group: Group, owner: object): Errno | null {
  if (group.domain !== 'default' && group.hasDefaultDomain) return 'EBUSY';
  if (machine.profile.claimBusyInReset && group.recoveryCount > 0) return 'EBUSY';
  if (isDirectMapped(group)) return machine.profile.claimOfDirectMapped;
  group.domain = 'blocking';
  group.owner = owner;
  group.ownerCount = 1;
  return null;
}

/** A container takes the group: all or nothing. */
export function claimGroup(machine: Machine, group: Group, owner: object): Errno | null {
  if (group.ownerCount > 0) return 'EPERM';
  return takeOwnership(machine, group, owner);
}

/** An iommufd context takes the group by one of its devices: counted. */
export function claimByDevice(machine: Machine, group: Group, owner: object): Errno | null {
  if (group.ownerCount > 0) {
    if (group.owner !== owner) return 'EPERM';
    group.ownerCount += 1;
    return null;
  }
  return takeOwnership(machine, group, owner);
}

/** The container lets go. */
export function releaseGroup(group: Group): void {
  group.ownerCount = 0;
  group.owner = null;
  group.domain = 'default';
}

/** One device of an iommufd context lets go; the last one frees the group. */
export function releaseByDevice(group: Group): void {
  assert(group.ownerCount > 0 && group.owner !== null, 'a claim is released by its owner');
  group.ownerCount -= 1;
  if (group.ownerCount === 0) releaseGroup(group);
}

/** iommu_group_dma_owner_claimed: what GET_STATUS looks at. */
export function isClaimed(group: Group): boolean {
  return group.ownerCount > 0;
}
