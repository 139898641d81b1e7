// A call that somebody wants a lane to make, who waits for it, and the limits under which lanes work. Data only:
// lane-pool.ts decides.
import type { Outcome, Settled } from '../fs.ts';
import type { LaneCall } from './lane.ts';
import type { Answer, Call } from './syscalls.ts';

/** Limits of a pool. Defaults in brackets. */
export interface LaneLimits {
  /** Processes that may exist at once, abandoned ones included [64]; beyond it calls wait their turn. */
  readonly lanesMax: number;
  /** An idle lane ends after this many milliseconds [10 000]: kept warm while work goes on, no longer. */
  readonly idleMs: number;
  /** A lane silent for so many milliseconds [40] counts as blocked: others take over what waits. */
  readonly stallMs: number;
  /** Reads that are sent to a lane at once [64]. Writes always go alone. */
  readonly batchMax: number;
}

/** The defaults. */
export const defaultLimits: LaneLimits = {
  lanesMax: 64,
  idleMs: 10_000,
  stallMs: 40,
  batchMax: 64,
};

/** A caller, and when he hears that his call is pending. */
export interface Waiter {
  readonly deadlineMs: number;
  untilMs: number;
  readonly answer: (outcome: Outcome<Answer>) => void;
}

/** A wanted call. */
export interface Wanted extends LaneCall {
  readonly key: string;
  readonly settled: Promise<Settled<Answer>>;
  readonly waiters: Waiter[];
  /** Somebody has been told "pending". */
  late: boolean;
}

/** The same for calls that are one and the same wish. */
export function keyOf(call: Call): string {
  if (call.kind === 'write') return `write\0${call.path}\0${call.data}`;
  const detail = call.kind === 'read' ? `${call.firstBytes}\0${call.linesWith}` : '';
  return `${call.kind}\0${call.path}\0${detail}`;
}

/** What came of a call, for logs. */
export function tell(settled: Settled<Answer>): string {
  return settled.kind === 'errno' ? settled.errno : 'ok';
}
