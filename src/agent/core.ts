// The hands of one group actor: the few operations that change its state or the world. What to do with them
// is decided in advance.ts, allocate.ts and pre-start.ts. Only the actor's own loop may call them.
import { errorText } from '../base/errors.ts';
import { judge } from '../ownership/blockers.ts';
import { decide, type FaultReason } from '../ownership/decide.ts';
import type { GroupLook } from '../ownership/look.ts';
import type { GroupRecord, Lease } from '../ownership/record.ts';
import { situationOf } from '../ownership/situation.ts';
import type { Inside } from '../ownership/use.ts';
import type { Step } from '../ownership/step.ts';
import type { PciAddress } from '../pci/address.ts';
import { pciFunctions } from '../pci/group.ts';
import type { GroupMessage } from './messages.ts';
import type { AgentPorts } from './ports.ts';
import type { GroupState, Seen, Work, WorkGoal } from './state.ts';
import type { Reservations } from './reservations.ts';
import { runSteps } from './work.ts';

/** What the actors of one agent share. */
export interface SharedByActors {
  readonly reservations: Reservations;
  /** Order of looks over all actors and surveys. */
  readonly nextOrder: () => number;
}

/** State and hands of one actor. */
export class GroupCore {
  readonly state: GroupState;
  readonly ports: AgentPorts;
  /** Puts a message into the actor's own mailbox. */
  readonly post: (message: GroupMessage) => void;
  readonly reservations: Reservations;
  /** The next place in the order of looks; an older look never replaces a newer one. */
  readonly #nextOrder: () => number;
  /** Who was inside when only that was asked. */
  #insideSeen: { readonly order: number; readonly inside: Inside } | null = null;

  constructor(
    state: GroupState,
    ports: AgentPorts,
    shared: SharedByActors,
    post: (message: GroupMessage) => void,
  ) {
    this.state = state;
    this.ports = ports;
    this.post = post;
    this.reservations = shared.reservations;
    this.#nextOrder = shared.nextOrder;
  }

  /** Takes what a survey saw; where the actor itself has looked later, its own look stays. */
  see(seen: Seen): void {
    const own = this.state.seen;
    const stale = own !== null && own.order > seen.order;
    this.state.seen = stale
      ? { ...seen, look: own.look, split: own.split, order: own.order }
      : seen;
    this.#takeInside();
    this.assess();
  }

  /**
   * Makes `record` the one in force, durably. False when it could not be written: then the earlier record
   * stays in force and nothing else happened.
   */
  async save(record: GroupRecord): Promise<boolean> {
    try {
      await this.ports.records.save(record);
    } catch (problem) {
      this.#recordFailed(problem);
      if (this.state.record === null) this.reservations.release(this.state.leader);
      this.rest();
      return false;
    }
    this.state.record = record;
    this.state.recordDurable = true;
    return true;
  }

  /** Forgets the record, durably; false when that could not be done. */
  async forget(): Promise<boolean> {
    try {
      await this.ports.records.remove(this.state.leader);
    } catch (problem) {
      this.#recordFailed(problem);
      this.rest();
      return false;
    }
    this.state.record = null;
    this.reservations.release(this.state.leader);
    this.state.recordDurable = true;
    this.state.failure = null;
    return true;
  }

  /** Takes the group's CDI spec away; a failure is logged only, for the next write replaces the file. */
  async withdraw(): Promise<void> {
    try {
      await this.ports.cdi.remove(this.state.leader);
    } catch (problem) {
      this.ports.log.warn('cdi spec left behind', {
        leader: this.state.leader,
        error: errorText(problem),
      });
    }
  }

  #recordFailed(problem: unknown): void {
    this.ports.log.error('record write failed', {
      leader: this.state.leader,
      error: errorText(problem),
    });
  }

  /** Looks at the group now and takes that as what was seen. Null when no member is there. */
  async look(): Promise<GroupLook | null> {
    const { state, ports } = this;
    const order = this.#nextOrder();
    const looks = await ports.host.lookAt(this.#members(), {
      skipLocked: new Set(state.pending.keys()),
    });
    const look = looks[0] ?? null;
    if (state.seen !== null) {
      state.seen = { ...state.seen, look, split: looks.length > 1, order };
      this.assess();
    }
    return look;
  }

  /** Looks whether anybody is inside the group now, and takes that as what was seen of it; the rest stays. */
  async inside(): Promise<Inside> {
    const order = this.#nextOrder();
    const inside = await this.ports.host.inside(this.#members());
    this.#insideSeen = { order, inside };
    this.#takeInside();
    this.assess();
    return inside;
  }

  #takeInside(): void {
    const { seen } = this.state;
    const own = this.#insideSeen;
    if (seen === null || seen.look === null || own === null || own.order < seen.order) return;
    this.state.seen = { ...seen, look: { ...seen.look, inside: own.inside } };
  }

  #members(): readonly PciAddress[] {
    const { record, seen, leader } = this.state;
    if (record !== null) return record.members.map((member) => member.address);
    const look = seen?.look;
    return look ? pciFunctions(look.group).map((fn) => fn.address) : [leader];
  }

  /** Judges and decides anew from what was seen last. */
  assess(): void {
    const { state } = this;
    const { seen, record } = state;
    if (seen === null) return;
    const { look, node, match, cordoned } = seen;
    const judgeable = look !== null && (record === null || record.phase !== 'Assigned');
    state.blockers = judgeable
      ? judge({ look, node, consent: match?.consent ?? null, pending: state.pending, cordoned })
      : [];
    if (state.quarantined !== null) state.decision = { kind: 'Fault', reason: 'RecordUnreadable' };
    else if (record === null) state.decision = { kind: 'Leave' };
    else if (seen.bootId === null)
      state.decision = { kind: 'Wait', why: 'the boot id cannot be read' };
    else state.decision = decide(situationOf(record, look, seen.bootId, seen.split));
  }

  /** Starts steps towards `goal` unless a piece of work is running; its end comes back as a message. */
  startWork(goal: WorkGoal, steps: readonly Step[]): void {
    const { state, ports } = this;
    if (state.work !== null) return;
    const work: Work = { goal, startedMs: ports.clock.monotonicMs(), superseded: false };
    state.work = work;
    const { host, clock, log } = ports;
    const vfioDriver = state.record?.vfioDriver ?? '';
    const onPending = (address: PciAddress, what: string | null): void => {
      if (what === null) state.pending.delete(address);
      else state.pending.set(address, what);
      this.post({ kind: 'Pending' });
    };
    void runSteps(steps, work, {
      leader: state.leader,
      vfioDriver,
      host,
      clock,
      log,
      onPending,
    }).then((result) => this.post({ kind: 'WorkEnded', work, result }));
  }

  /** Notes a failure and when to try again: doubling pauses between the two bounds of the timing. */
  fail(reason: FaultReason, message: string): void {
    const { state, ports } = this;
    const { retryMinMs, retryMaxMs } = ports.timing;
    const attempts = (state.failure?.attempts ?? 0) + 1;
    const pauseMs = Math.min(retryMaxMs, retryMinMs * 2 ** (attempts - 1));
    const retryAtMs = ports.clock.monotonicMs() + pauseMs;
    state.failure = { reason, message, attempts, retryAtMs };
    ports.log.warn('group work failed', {
      leader: state.leader,
      reason,
      message,
      attempts,
      pauseMs,
    });
    if (attempts === state.attemptsBeforeFault && reason === 'RestoreFailed')
      ports.meter.restoreFailed();
    this.wakeAfter(pauseMs);
  }

  /** Nothing is begun for a short while; then the group goes on by itself. */
  rest(): void {
    const pauseMs = this.ports.timing.retryMinMs;
    this.state.restUntilMs = this.ports.clock.monotonicMs() + pauseMs;
    this.wakeAfter(pauseMs);
  }

  /** True while a failure or a short rest asks to wait. */
  get resting(): boolean {
    const { failure, restUntilMs } = this.state;
    const nowMs = this.ports.clock.monotonicMs();
    return nowMs < restUntilMs || (failure !== null && nowMs < failure.retryAtMs);
  }

  /** Posts a Wake after `delayMs`. */
  wakeAfter(delayMs: number): void {
    this.ports.clock.after(delayMs, () => this.post({ kind: 'Wake' }));
  }

  /** A lease that starts now; its holder is not known yet (Allocate never says). */
  newLease(): Lease {
    return { since: new Date(this.ports.clock.wallMs()).toISOString(), pod: null };
  }
}
