// The pool of lanes: which call goes to which child process, who is told "pending" and when, and how many
// processes there may be. It knows no sysfs, no retry and no order between calls: callers that need one wait.
import { assert } from '../../base/assert.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Outcome, Settled } from '../fs.ts';
import { assertCall, startPatienceMs } from './frames.ts';
import { Lane, type LaneCall, type LaneProgram } from './lane.ts';
import { defaultLimits, keyOf, type LaneLimits, tell, type Waiter, type Wanted } from './wanted.ts';
import type { Answer, Call } from './syscalls.ts';

/** What a pool is made with. */
export interface LanePoolOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly program: LaneProgram;
  readonly limits?: Partial<LaneLimits>;
}

/** A lane that has just been started is not called stalled for this long: Node itself has to come up. */
const startMs = startPatienceMs + 500;

/** Child processes that make the calls which may block. One pool serves a whole agent. */
export class LanePool {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #program: LaneProgram;
  readonly #limits: LaneLimits;
  readonly #lanes = new Map<Lane, Timer | null>();
  #queue: Wanted[] = [];
  /** Calls that a further caller with the same wish joins: every write, and every read that is late. */
  readonly #joinable = new Map<string, Wanted>();
  readonly #unsettled = new Set<Wanted>();
  #dispatching = false;
  #closed = false;
  #deadline: { readonly atMs: number; readonly timer: Timer } | null = null;
  #stallCheck: Timer | null = null;

  constructor(options: LanePoolOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#program = options.program;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  /** Calls whose callers were told "pending" and that are still blocked. */
  get pendingCount(): number {
    let count = 0;
    for (const wanted of this.#unsettled) if (wanted.late) count++;
    return count;
  }

  /** Process ids of the lanes that exist now: for tests and for a metric. */
  get lanePids(): readonly number[] {
    return [...this.#lanes.keys()].map((lane) => lane.pid).filter((pid) => pid !== null);
  }

  /**
   * Has `call` made by a lane. Settles with its answer, or with `pending` when `deadlineMs` have passed and the call has
   * been in the kernel for that long: while it waits behind others that go on, or for Node to come up, it is not blocked,
   * however slow the machine is. A write that is already under way with the same path and data is joined, not repeated;
   * so is a read whose caller was told "pending".
   */
  call(call: Call, deadlineMs: number): Promise<Outcome<Answer>> {
    assertCall(call);
    if (this.#closed) return Promise.resolve({ kind: 'errno', errno: 'ECANCELED' });
    const key = keyOf(call);
    const wanted = this.#joinable.get(key) ?? this.#want(call, key);
    return new Promise((answer) => {
      const untilMs = this.#clock.monotonicMs() + deadlineMs;
      wanted.waiters.push({ deadlineMs, untilMs, answer });
      this.#armDeadline(deadlineMs);
    });
  }

  /** Starts a lane when there is none, which then waits for its first call as long as for any other. */
  warm(): void {
    if (!this.#closed && this.#lanes.size === 0) this.#newLane();
  }

  /** Ends every idle lane now, the blocked ones when their call returns. What is unanswered gives ECANCELED. */
  close(): void {
    this.#closed = true;
    for (const [lane, idle] of this.#lanes) {
      idle?.clear();
      lane.close();
    }
    this.#deadline?.timer.clear();
    this.#stallCheck?.clear();
    this.#queue = [];
    for (const wanted of this.#unsettled) wanted.settle({ kind: 'errno', errno: 'ECANCELED' });
  }

  #want(call: Call, key: string): Wanted {
    const { promise, resolve } = Promise.withResolvers<Settled<Answer>>();
    const wanted: Wanted = {
      call,
      key,
      settled: promise,
      waiters: [],
      late: false,
      settle: (settled) => {
        if (!this.#unsettled.delete(wanted)) return;
        if (this.#joinable.get(key) === wanted) this.#joinable.delete(key);
        if (wanted.late)
          this.#log.info('kernel-call-late-answer', {
            call: call.kind,
            path: call.path,
            settled: tell(settled),
          });
        for (const waiter of wanted.waiters.splice(0)) waiter.answer(settled);
        resolve(settled);
      },
    };
    this.#unsettled.add(wanted);
    if (call.kind === 'write') this.#joinable.set(key, wanted);
    this.#queue.push(wanted);
    this.#dispatchSoon();
    return wanted;
  }

  // Calls made in one go are seen together, so that reads can share a batch.
  #dispatchSoon(): void {
    if (this.#dispatching) return;
    this.#dispatching = true;
    queueMicrotask(() => {
      this.#dispatching = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (!this.#closed && this.#queue.length > 0) {
      const lane = this.#idleLane() ?? this.#newLane();
      if (lane === null) return this.#watchStalls();
      this.#lanes.get(lane)?.clear();
      this.#lanes.set(lane, null);
      lane.lastSignMs = this.#clock.monotonicMs();
      lane.give(this.#nextBatch());
    }
    if ([...this.#lanes.keys()].some((lane) => lane.waiting > 0)) this.#watchStalls();
  }

  #nextBatch(): readonly Wanted[] {
    const first = this.#queue.findIndex((wanted) => wanted.call.kind === 'write');
    const reads = first === -1 ? this.#queue.length : first;
    return this.#queue.splice(0, Math.max(1, Math.min(reads, this.#limits.batchMax)));
  }

  #idleLane(): Lane | null {
    for (const lane of this.#lanes.keys()) if (lane.load === 0 && !lane.abandoned) return lane;
    return null;
  }

  /** A further lane, when every one there is has been silent too long; null: wait for one of them. */
  #newLane(): Lane | null {
    if (this.#lanes.size >= this.#limits.lanesMax) return null;
    for (const lane of this.#lanes.keys()) if (!this.#stalled(lane)) return null;
    const lane = new Lane(this.#program, this.#clock.monotonicMs(), {
      progressed: (which) => this.#progressed(which),
      declined: (calls) => this.#again(calls),
      ended: (which, unanswered, why) => this.#ended(which, unanswered, why),
    });
    this.#lanes.set(lane, null);
    return lane;
  }

  /** When a call was last seen to come nearer to its answer: the lane that makes it, or else any lane, moved on. */
  #movedOnMs(wanted: Wanted): number {
    const lanes = [...this.#lanes.keys()];
    const making = lanes.filter((lane) => lane.oldest === wanted);
    const signs = (making.length > 0 ? making : lanes).map((lane) =>
      lane.load > 0 && this.#isOnItsWay(lane) ? this.#clock.monotonicMs() : lane.lastSignMs,
    );
    return Math.max(0, ...signs);
  }

  /** Coming up, or without a processor: silent, and yet not blocked. Not for ever: the kernel may go round in circles. */
  #isOnItsWay(lane: Lane): boolean {
    const silentMs = this.#clock.monotonicMs() - lane.lastSignMs;
    return silentMs < startMs && (!lane.up || lane.runnable);
  }

  #stalled(lane: Lane): boolean {
    return lane.abandoned || this.#silent(lane);
  }

  /**
   * Not heard of for so long that it declines, by the same measure, all but the oldest of its calls. One that waits for a
   * processor is given time: another process beside it would make both wait.
   */
  #silent(lane: Lane): boolean {
    if (lane.load === 0) return false;
    const silentMs = this.#clock.monotonicMs() - lane.lastSignMs;
    return silentMs >= this.#limits.stallMs && !this.#isOnItsWay(lane);
  }

  /** While calls wait behind others, looks again after the time in which a lane should have said something. */
  #watchStalls(): void {
    this.#stallCheck ??= this.#clock.after(this.#limits.stallMs, () => {
      // After what has arrived: when this process was away itself, answers wait to be read.
      setImmediate(() => {
        this.#stallCheck = null;
        if (this.#closed) return;
        for (const lane of this.#lanes.keys()) {
          if (lane.waiting > 0 && this.#silent(lane)) this.#again(lane.takeBack());
        }
        this.#dispatch();
      });
    });
  }

  /** The pool's own view of calls it had given away. */
  #own(calls: readonly LaneCall[]): Wanted[] {
    return [...this.#unsettled].filter((wanted) => calls.includes(wanted));
  }

  #progressed(lane: Lane): void {
    lane.lastSignMs = this.#clock.monotonicMs();
    if (lane.load > 0) return;
    if (lane.abandoned || this.#closed) return lane.close();
    if (this.#queue.length > 0) return this.#dispatch();
    this.#lanes.get(lane)?.clear();
    this.#lanes.set(
      lane,
      this.#clock.after(this.#limits.idleMs, () => lane.close()),
    );
  }

  // Whether the oldest call was made before the process died cannot be known, so it is an error, not a retry.
  #ended(lane: Lane, unanswered: readonly LaneCall[], why: string): void {
    this.#lanes.get(lane)?.clear();
    this.#lanes.delete(lane);
    const [oldest, ...rest] = unanswered;
    if (oldest !== undefined) {
      this.#log.error('kernel-lane-lost', {
        pid: lane.pid,
        why,
        call: oldest.call.kind,
        path: oldest.call.path,
      });
      oldest.settle({ kind: 'errno', errno: 'EIO' });
      // A lane that never came up would only be started again and again for the others.
      if (!lane.up) for (const call of rest) call.settle({ kind: 'errno', errno: 'EIO' });
    }
    this.#again(rest);
  }

  /** Calls that were given to a lane and not begun wait again, before all others. */
  #again(calls: readonly LaneCall[]): void {
    this.#queue.unshift(...this.#own(calls));
    this.#dispatchSoon();
  }

  #armDeadline(deadlineMs: number): void {
    const atMs = this.#clock.monotonicMs() + deadlineMs;
    if (this.#deadline !== null && this.#deadline.atMs <= atMs) return;
    this.#deadline?.timer.clear();
    // After what has arrived: when this process was away itself, answers wait to be read.
    const passed = (): void => void setImmediate(() => this.#deadlinePassed());
    this.#deadline = { atMs, timer: this.#clock.after(deadlineMs, passed) };
  }

  #deadlinePassed(): void {
    this.#deadline = null;
    const nowMs = this.#clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const wanted of this.#unsettled) {
      for (const waiter of wanted.waiters.splice(0)) {
        if (waiter.untilMs <= nowMs) waiter.untilMs = this.#movedOnMs(wanted) + waiter.deadlineMs;
        if (waiter.untilMs <= nowMs) this.#tellPending(wanted, waiter);
        else {
          wanted.waiters.push(waiter);
          nextMs = Math.min(nextMs, waiter.untilMs);
        }
      }
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#armDeadline(nextMs - nowMs);
    this.#dispatch();
  }

  #tellPending(wanted: Wanted, waiter: Waiter): void {
    assert(this.#unsettled.has(wanted), 'only an unsettled call is pending');
    if (!wanted.late) {
      wanted.late = true;
      // A read that began before an older late one keeps the older one's place: either will do.
      if (!this.#joinable.has(wanted.key)) this.#joinable.set(wanted.key, wanted);
      this.#log.warn('kernel-call-pending', { call: wanted.call.kind, path: wanted.call.path });
    }
    for (const lane of this.#lanes.keys()) if (lane.oldest === wanted) lane.abandoned = true;
    waiter.answer({ kind: 'pending', settles: wanted.settled });
  }
}
