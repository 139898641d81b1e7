// The front door as the kubelet's protocols need it and the agent implements it. Neither this door nor
// the DRA one holds a rule: both only ask the same group actors.
import type { Offers } from '../policy/offers.ts';
import type { ResourceName } from '../policy/policy.ts';

export type { OfferedDevice, Offers } from '../policy/offers.ts';

/** What a container gets. */
export interface ContainerGrant {
  readonly envs: Readonly<Record<string, string>>;
  readonly deviceNodes: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly permissions: string;
  }[];
  /** Qualified CDI names: kind=device. */
  readonly cdiDevices: readonly string[];
}

/** Answer to Allocate. A refusal names the group, the reason and the remedy in one sentence. */
export type AllocateAnswer =
  | { readonly kind: 'granted'; readonly grant: ContainerGrant }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string };

/** Answer to PreStartContainer. */
export type PreStartAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string };

/** Why something was refused: decides the gRPC status. */
export type RefusalReason =
  | 'InvalidRequest'
  | 'UnknownDevice'
  | 'AlreadyLeased'
  | 'NotReleasable'
  | 'NotClaimed'
  | 'RecordFailed'
  | 'StaleAnswer'
  | 'ShuttingDown';

/** The agent behind the door. */
export interface DevicePluginDoor {
  /** The offers now. */
  offers(): Offers;
  /** Calls `listener` after offers changed (coalesced), until closed. */
  onOffersChanged(listener: () => void): { close(): void };
  /** Takes a lease on every named device for one container, or on none of them. Fast: never waits for an unbind. */
  allocate(resource: ResourceName, ids: readonly string[]): Promise<AllocateAnswer>;
  /** Holds the container's start until every named device is Claimed and R3 is verified, at most `waitMs`. */
  preStart(resource: ResourceName, ids: readonly string[], waitMs: number): Promise<PreStartAnswer>;
}
