// What one group actor knows. Changed by its own loop only; everybody else sees the view made of it.
import type { NodeFacts } from '../pci/inventory.ts';
import type { PciAddress } from '../pci/address.ts';
import type { Blocker } from '../ownership/blockers.ts';
import type { Decision, FaultReason } from '../ownership/decide.ts';
import type { GroupLook } from '../ownership/look.ts';
import type { GroupRecord } from '../ownership/record.ts';
import type { Match, Passed } from '../policy/match.ts';
import type { QuarantinedRecord } from '../record/store.ts';

/** What a survey (or a look of its own) told the actor. */
export interface Seen {
  /** Place of the look in the order of all looks of this agent, taken before its first read. */
  readonly order: number;
  /** Null: none of the members is on the machine. */
  readonly look: GroupLook | null;
  /** The recorded members stand in more than one group now. */
  readonly split: boolean;
  readonly node: NodeFacts;
  /** Null: it cannot be read, so nothing that was written can be told from what the host did. */
  readonly bootId: string | null;
  readonly match: Match | null;
  readonly passed: readonly Passed[];
  /** Reason of the cordon; null: in service. */
  readonly cordoned: string | null;
}

/** What a running piece of work is for. */
export type WorkGoal = 'Take' | 'Return' | 'Reset';

/** Steps that are being executed. */
export interface Work {
  readonly goal: WorkGoal;
  readonly startedMs: number;
  /** Set when the goal changed: the runner stops before its next step. */
  superseded: boolean;
}

/** Something failed and will be tried again. */
export interface Failure {
  readonly reason: FaultReason;
  readonly message: string;
  readonly attempts: number;
  /** Monotonic milliseconds. */
  readonly retryAtMs: number;
}

/** State of one group actor. */
export interface GroupState {
  readonly leader: PciAddress;
  record: GroupRecord | null;
  /** The record in memory is on disk too; false between a quick grant and its write. */
  recordDurable: boolean;
  quarantined: QuarantinedRecord | null;
  seen: Seen | null;
  decision: Decision;
  blockers: readonly Blocker[];
  work: Work | null;
  /** Members with a step still blocked in the kernel, and which step. */
  readonly pending: Map<PciAddress, string>;
  failure: Failure | null;
  /** Nothing is begun before (monotonic milliseconds). */
  restUntilMs: number;
  readonly attemptsBeforeFault: number;
  /** A container may have been started under the present lease; true when it is not known. */
  startedUnderLease: boolean;
  /** When the present claim or return began, for the meters. */
  flowStartedMs: number | null;
  stopping: boolean;
}

/** The state of an actor that knows nothing yet but, perhaps, its record. */
export function initialState(
  leader: PciAddress,
  record: GroupRecord | null,
  quarantined: QuarantinedRecord | null,
): GroupState {
  return {
    leader,
    record,
    recordDurable: true,
    quarantined,
    seen: null,
    decision: { kind: 'Leave' },
    blockers: [],
    work: null,
    pending: new Map(),
    failure: null,
    restUntilMs: Number.NEGATIVE_INFINITY,
    attemptsBeforeFault: 5,
    startedUnderLease: record?.lease !== null && record !== null,
    flowStartedMs: null,
    stopping: false,
  };
}
