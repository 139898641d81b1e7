// The policy as the rule uses it: validated, with every default filled in. api/ parses files and custom
// resources into this; nothing here is optional.
import type { HostUseKind } from '../ownership/use.ts';
import type { Brand } from '../base/brand.ts';

/** A valid Kubernetes extended resource name (`example.com/nic`). */
export type ResourceName = Brand<string, 'ResourceName'>;

/** Conditions on one function; those that are given must all hold. Hex is lower case, without 0x. */
export interface DeviceSelector {
  readonly vendor?: string;
  readonly device?: string;
  readonly subsystemVendor?: string;
  readonly subsystemDevice?: string;
  /** Prefix of the six-digit class code. */
  readonly class?: string;
  /** Glob over the address: `*` and `?`. */
  readonly address?: string;
  /** `dddd:bb:dd`: every function of this slot. */
  readonly slot?: string;
  /** Name of the driver bound now (or recorded before the claim). */
  readonly driver?: string;
  /** Address of the PF whose VFs are meant. */
  readonly physicalFunction?: string;
  readonly numaNode?: number;
}

/** One policy in force on this node. */
export interface PassthroughPolicy {
  readonly name: string;
  /** Breaks ties between equal priorities: the older policy wins. ISO 8601, "" for files. */
  readonly createdAt: string;
  readonly resourceName: ResourceName;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly devices: readonly DeviceSelector[];
  readonly companions: 'SameSlot' | 'Listed' | 'Any';
  readonly companionDevices: readonly DeviceSelector[];
  readonly primaries: { readonly min: number; readonly max: number };
  readonly binding: 'OnAllocate' | 'Eager';
  readonly access: 'Group' | 'Cdev' | 'Auto';
  readonly vfioDriver: string;
  readonly waive: readonly HostUseKind[];
  readonly reset: 'Required' | 'Preferred' | 'Never';
  readonly deviceNodes: {
    readonly uid: number;
    readonly gid: number;
    readonly mode: number;
  } | null;
}
