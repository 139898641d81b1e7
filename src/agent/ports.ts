// What the node loop is given: interfaces only, so that the same loop runs on a real node, against the
// model, and in the seeded simulation on virtual time.
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Host } from '../host/host.ts';
import type { CdiSpec } from '../kubelet/cdi.ts';
import type { DepartureLimits, PodStatus } from '../kubelet/departure.ts';
import type { HolderSource } from '../kubelet/pods.ts';
import type { Lease } from '../ownership/record.ts';
import type { PciAddress } from '../pci/address.ts';
import type { RecordStore } from '../record/store.ts';
import type { DeliveryMode } from './delivery.ts';

/** Where CDI specs are put for the runtime. Throws CodedError when it cannot. */
export interface CdiStore {
  write(leader: PciAddress, spec: CdiSpec): Promise<void>;
  remove(leader: PciAddress): Promise<void>;
}

/** What is counted. Durations in seconds. */
export interface AgentMeter {
  claimed(seconds: number): void;
  returned(seconds: number): void;
  allocated(seconds: number): void;
  ownerBecameMixed(): void;
  restoreFailed(): void;
  surveyed(trigger: SurveyTrigger): void;
  offersPushed(lagSeconds: number): void;
}

/** What made the agent look at the whole node. */
export type SurveyTrigger = 'start' | 'hint' | 'poll' | 'policy' | 'round';

/** Numbers of the node loop, in milliseconds. */
export interface AgentTiming {
  /** A hint waits this long for company before the survey (coalescing). */
  readonly hintDelayMs: number;
  /** The same while a group is claimed or given back: its own steps make hints, and it looks at what they did itself. */
  readonly workDelayMs: number;
  /** Cheap fingerprint of the node. */
  readonly pollMs: number;
  /** From one survey to the next without any reason: for what fingerprints cannot see (mounts in other namespaces, open files). */
  readonly roundMs: number;
  /** A node on which a round takes long has them less often, but never less often than this. */
  readonly roundMaxMs: number;
  /** The part of the time that rounds may take. */
  readonly roundShare: number;
  /** List of holders while a lease exists. */
  readonly holdersMs: number;
  /** How long Allocate may wait for the last tenant of a group to let go. */
  readonly turnoverWaitMs: number;
  /** First and longest pause before a failed claim or return is tried again. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

/** Defaults with their reasons. */
export const defaultTiming: AgentTiming = {
  hintDelayMs: 5, // a bind makes a handful of uevents within a few milliseconds; what comes later is followed up
  workDelayMs: 1000, // no later than without hints: a claim or a return and its six to eight hints are over by then
  pollMs: 1000, // a change without a hint is offered or withdrawn within about a second
  roundMs: 30_000, // bounds how long a mount in a private namespace stays unseen
  roundMaxMs: 120_000, // with tens of thousands of open files; an Allocate looks for itself anyway
  roundShare: 1 / 600, // an idle agent costs less than half a percent of a core, the lane that a round starts included
  holdersMs: 1000, // PodResources allows 100 calls a second for everybody; one is polite
  turnoverWaitMs: 800, // admission is serial: a slow Allocate stalls every pod of the node
  retryMinMs: 500,
  retryMaxMs: 60_000,
};

/** What the API server knows about pods of this node. */
export interface PodKnowledge {
  /** The pod of a lease; `unavailable` without an API server. */
  readonly statusOf: (lease: Lease) => PodStatus;
  /** UID of the pod that has this name now; null when it is not known. */
  readonly uidOf: (namespace: string, name: string) => string | null;
}

/** Without an API server. */
export const noPodKnowledge: PodKnowledge = {
  statusOf: () => ({ kind: 'unavailable' }),
  uidOf: () => null,
};

/** Everything the loop works with. */
export interface AgentPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Host;
  readonly records: RecordStore;
  readonly holders: HolderSource;
  /** For what was promised by CDI, whatever is promised now. */
  readonly cdi: CdiStore;
  readonly pods: PodKnowledge;
  /** When the kubelet's lists count. */
  readonly departure: DepartureLimits;
  readonly meter: AgentMeter;
  readonly timing: AgentTiming;
  readonly mode: DeliveryMode;
}
