// What a policy permits for one group: the primaries it asks for, whom it may take along, and how.
import type { PciAddress } from '../pci/address.ts';
import type { HostUseKind } from './use.ts';

/** Consent of one policy for one group. */
export interface Consent {
  /** Functions that the policy selected, in address order; the first is the leader. */
  readonly primaries: readonly PciAddress[];
  /** The policy's word for companions, for messages. */
  readonly companions: string;
  /** True when this endpoint may be taken from the host: a primary or a permitted companion. */
  permits(address: PciAddress): boolean;
  /** Kinds of use that the policy waives by name. */
  readonly waive: readonly HostUseKind[];
  readonly vfioDriver: string;
  readonly access: 'Group' | 'Cdev' | 'Auto';
  readonly reset: 'Required' | 'Preferred' | 'Never';
}
