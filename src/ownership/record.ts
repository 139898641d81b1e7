// What is written down, durably, about a group that we have taken or are taking: enough to give back
// precisely what was taken, after any crash, without trusting a group number.
import type { PciAddress } from '../pci/address.ts';
import type { GroupKey } from '../pci/group.ts';

/** Member role in a taken group. */
export type MemberRole = 'primary' | 'companion' | 'bridge';

/** What one member was before we touched it. */
export interface RecordedMember {
  readonly address: PciAddress;
  readonly role: MemberRole;
  readonly vendor: string;
  readonly device: string;
  /** Driver bound before the claim; null: none was. */
  readonly originalDriver: string | null;
  /** driver_override before the claim; null: unset. */
  readonly originalOverride: string | null;
}

/** Who has the group. `pod` is filled once the kubelet tells; Allocate never says it. */
export interface Lease {
  /** Wall clock, ISO 8601. */
  readonly since: string;
  readonly pod: {
    readonly namespace: string;
    readonly name: string;
    /** Known only where the API server or the Pods API tells. */
    readonly uid: string | null;
    readonly container: string;
  } | null;
}

/** How the devices were promised to the container. The kubelet replays an answer for the pod's life. */
export type Delivery = 'cdi' | 'device-nodes';

/** Which device files are handed out; never both kinds together. */
export type Access = 'Group' | 'Cdev';

/** What Allocate answered and the kubelet will replay. */
export interface RecordedAnswer {
  readonly delivery: Delivery;
  readonly access: Access;
  /** Host device nodes named in the answer; empty with CDI. */
  readonly deviceNodes: readonly string[];
}

/** Where a group with a record is going. */
export type RecordPhase = 'Claiming' | 'Claimed' | 'Assigned' | 'Returning';

/** The durable record of one group. One file; its name is made from the leader. */
export interface GroupRecord {
  readonly key: GroupKey;
  readonly leader: PciAddress;
  readonly groupNumber: number;
  /** Boot in which drivers and overrides were last changed; another boot voids them. */
  readonly bootId: string;
  readonly phase: RecordPhase;
  readonly members: readonly RecordedMember[];
  readonly resourceName: string;
  readonly policyName: string;
  /** VFIO driver that endpoints get. */
  readonly vfioDriver: string;
  readonly reset: 'Required' | 'Preferred' | 'Never';
  /** Owner of the nodes in the container, with CDI. */
  readonly nodeOwner: { readonly uid: number; readonly gid: number; readonly mode: number } | null;
  readonly lease: Lease | null;
  /** A tenant may have touched the devices since their last reset: they are reset before anybody else gets them. */
  readonly resetDue: boolean;
  readonly answer: RecordedAnswer | null;
}
