// What an actor can be told. Everything that changes a group comes through its mailbox, one at a time.
import type { PreStartAnswer } from '../kubelet/door.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { Lease } from '../ownership/record.ts';
import type { Allocation } from './allocate.ts';
import type { Seen, Work } from './state.ts';
import type { WorkResult } from './work.ts';

/** One message to a group actor. */
export type GroupMessage =
  /** A survey looked at the group. */
  | { readonly kind: 'Seen'; readonly seen: Seen }
  | {
      readonly kind: 'Allocate';
      readonly resource: ResourceName;
      readonly reply: (allocation: Allocation) => void;
    }
  | {
      readonly kind: 'PreStart';
      readonly resource: ResourceName;
      /** Monotonic milliseconds at which the caller stops waiting. */
      readonly deadlineMs: number;
      readonly reply: (answer: PreStartAnswer) => void;
    }
  /** The kubelet's list names the holder. */
  | { readonly kind: 'HolderFound'; readonly pod: NonNullable<Lease['pod']> }
  /** The tenant is provably gone (or never came), or an Allocate for several devices is taken back. */
  | { readonly kind: 'EndLease'; readonly lease: Lease; readonly why: string }
  | { readonly kind: 'WorkEnded'; readonly work: Work; readonly result: WorkResult }
  /** A member's step began to hang, or came back. */
  | { readonly kind: 'Pending' }
  /** A timer: try again, or look whether a waiter's deadline passed. */
  | { readonly kind: 'Wake' };
