// The list of one resource as ListAndWatch sends it: pure mapping from offers to the wire.
import type { ResourceName } from '../policy/policy.ts';
import type { Offers } from './door.ts';
import type { Device } from './gen/v1beta1/Device.ts';

/** A device on the wire, as we write it. */
export interface ListedDevice extends Device {
  readonly ID: string;
  readonly health: 'Healthy' | 'Unhealthy';
}

/**
 * The devices of `resource` in ID order, each ID once; empty when the resource is not offered at all.
 * Topology is left out where no node is known: the kubelet then counts the device as node -1
 * (devicemanager deviceHasTopologyAlignment).
 */
export function deviceList(offers: Offers, resource: ResourceName): ListedDevice[] {
  return (offers.get(resource) ?? []).map((device) => ({
    ID: device.id,
    health: device.healthy ? 'Healthy' : 'Unhealthy',
    ...(device.numaNodes.length === 0
      ? {}
      : { topology: { nodes: device.numaNodes.map((node) => ({ ID: node })) } }),
  }));
}

/** A text that is equal for equal lists: nothing is sent twice. */
export function listDigest(devices: readonly ListedDevice[]): string {
  return JSON.stringify(devices);
}
