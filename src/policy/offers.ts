// The one computation of what the kubelet sees. No second path computes an offer.
import { comparePciAddresses, type PciAddress } from '../pci/address.ts';
import type { ResourceName } from './policy.ts';

/** One group as one device of the kubelet. */
export interface OfferedDevice {
  /** Address of the leader: the device ID. */
  readonly id: PciAddress;
  readonly healthy: boolean;
  /** NUMA nodes of all members, unknown ones left out, ascending. */
  readonly numaNodes: readonly number[];
  /** Members in all (for GetPreferredAllocation: fewest first). */
  readonly memberCount: number;
}

/** What the kubelet should see: for each resource all its devices in ID order. A resource without devices stays listed with none. */
export type Offers = ReadonlyMap<ResourceName, readonly OfferedDevice[]>;

/** One group that belongs to a resource, with everything that decides whether it is offered. */
export interface Offerable {
  readonly resourceName: ResourceName;
  readonly leader: PciAddress;
  /** R1: releasable now, or already ours and healthy. */
  readonly healthy: boolean;
  readonly numaNodes: readonly number[];
  readonly memberCount: number;
}

/**
 * The offers of a node: every resource name in `resources` is present, every offerable stands under its
 * resource in address order. Blocked groups are listed unhealthy rather than left out, so that a pod that
 * holds one stays admitted and `capacity` minus `allocatable` tells how many are blocked.
 */
export function offers(resources: Iterable<ResourceName>, offerables: Iterable<Offerable>): Offers {
  const result = new Map<ResourceName, OfferedDevice[]>();
  for (const resource of resources) result.set(resource, []);
  for (const { resourceName, leader, healthy, numaNodes, memberCount } of offerables) {
    const devices = result.get(resourceName) ?? [];
    devices.push({ id: leader, healthy, numaNodes, memberCount });
    result.set(resourceName, devices);
  }
  for (const devices of result.values()) devices.sort((a, b) => comparePciAddresses(a.id, b.id));
  return result;
}

/** True when the kubelet would see no difference. */
export function sameOffers(a: Offers, b: Offers): boolean {
  if (a.size !== b.size) return false;
  for (const [resource, devices] of a) {
    const others = b.get(resource);
    if (others === undefined || others.length !== devices.length) return false;
    for (const [index, device] of devices.entries()) {
      const other = others[index];
      if (other === undefined || !sameDevice(device, other)) return false;
    }
  }
  return true;
}

function sameDevice(a: OfferedDevice, b: OfferedDevice): boolean {
  return (
    a.id === b.id &&
    a.healthy === b.healthy &&
    a.memberCount === b.memberCount &&
    a.numaNodes.length === b.numaNodes.length &&
    a.numaNodes.every((node, index) => node === b.numaNodes[index])
  );
}
