// What an actor can be told. Everything that changes a group comes through its mailbox, one at a time.
import type { PreStartAnswer, RefusalReason } from '../kubelet/door.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { GroupRecord, Lease } from '../ownership/record.ts';
import type { Seen, Work } from './state.ts';
import type { WorkResult } from './work.ts';

/** What came of an Allocate for one group. */
export type Allocation =
  | {
      readonly kind: 'leased';
      readonly record: GroupRecord;
      /** The lease, to be taken back should another device of the request be refused; null: it was there before. */
      readonly fresh: Lease | null;
      /** A write that may go on after the answer; PreStartContainer makes sure that it is done. */
      readonly persist: (() => Promise<void>) | null;
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string };

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
