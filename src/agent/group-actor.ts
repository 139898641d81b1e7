// The actor of one group: a bounded mailbox, one loop, and nobody else who changes the group.
import { Mailbox } from '../base/mailbox.ts';
import type { GroupRecord, Lease } from '../ownership/record.ts';
import type { PciAddress } from '../pci/address.ts';
import type { QuarantinedRecord } from '../record/store.ts';
import { advance, workEnded } from './advance.ts';
import { allocateGroup, type HolderCheck } from './allocate.ts';
import { GroupCore, type SharedByActors } from './core.ts';
import type { GroupMessage } from './messages.ts';
import type { AgentPorts } from './ports.ts';
import { prepareStart, tryStart } from './pre-start.ts';
import { initialState, type Seen } from './state.ts';
import { type GroupView, viewOf } from './view.ts';

/** Messages that may wait for one group; requests are refused long before, so that the actor's own always fit. */
const mailboxLimit = 1024;
const requestsLimit = 64;

type PreStartMessage = Extract<GroupMessage, { kind: 'PreStart' }>;

/** What an actor needs besides the ports. */
export interface ActorContext {
  readonly ports: AgentPorts;
  readonly holderCheck: HolderCheck;
  readonly shared: SharedByActors;
  /** Told after every change that shows. */
  readonly onView: (view: GroupView, before: GroupView | null) => void;
  /** Told when the actor's loop died of a bug: the process has to end. */
  readonly onCrash: (problem: unknown) => void;
}

/** One group. Constructed with what was recorded about it; told everything else through `post`. */
export class GroupActor {
  readonly leader: PciAddress;
  readonly #core: GroupCore;
  readonly #context: ActorContext;
  readonly #mailbox = new Mailbox<GroupMessage>(mailboxLimit);
  readonly #waiters = new Set<PreStartMessage>();
  #latestSeen: Seen | null = null;
  #handling = false;
  #view: GroupView;

  constructor(
    leader: PciAddress,
    stored: { readonly record: GroupRecord | null; readonly quarantined: QuarantinedRecord | null },
    context: ActorContext,
  ) {
    this.leader = leader;
    this.#context = context;
    const state = initialState(leader, stored.record, stored.quarantined);
    this.#core = new GroupCore(
      state,
      context.ports,
      context.shared,
      (message) => void this.post(message),
    );
    this.#view = viewOf(state);
    this.#loop().catch(context.onCrash);
  }

  /** What is published now. */
  get view(): GroupView {
    return this.#view;
  }

  /** The record in force, for matching observed groups to actors. */
  get record(): GroupRecord | null {
    return this.#core.state.record;
  }

  /** True while the group has a record, or anything that may yet make one: the actor must not be dropped. */
  get busy(): boolean {
    const { record, work, quarantined } = this.#core.state;
    return (
      record !== null ||
      quarantined !== null ||
      work !== null ||
      this.#handling ||
      this.#waiters.size > 0 ||
      this.#mailbox.length > 0
    );
  }

  /** True while steps of a claim or a return are made; not while one of them hangs in the kernel. */
  get working(): boolean {
    return this.#core.state.work !== null && this.#core.state.pending.size === 0;
  }

  /** Members with a step blocked in the kernel. */
  get pendingAddresses(): readonly PciAddress[] {
    return [...this.#core.state.pending.keys()];
  }

  /** Takes a message; false when the mailbox is full (the sender tries again or refuses). */
  post(message: GroupMessage): boolean {
    if (message.kind === 'Seen') {
      // Only the newest look counts: a survey that waits is replaced, not queued twice.
      const queued = this.#latestSeen !== null;
      this.#latestSeen = message.seen;
      if (queued) return true;
    }
    const isRequest = message.kind === 'Allocate' || message.kind === 'PreStart';
    if (isRequest && this.#mailbox.length >= requestsLimit) return false;
    const taken = this.#mailbox.post(message);
    if (!taken && message.kind === 'Seen') this.#latestSeen = null;
    return taken;
  }

  /** Ends the loop after what waits; requests that come later are refused. The group stays as it is. */
  stop(): void {
    this.#core.state.stopping = true;
    if (this.#core.state.work !== null) this.#core.state.work.superseded = true;
    this.#mailbox.post({ kind: 'Wake' });
    this.#mailbox.close();
  }

  async #loop(): Promise<void> {
    for (;;) {
      const message = await this.#mailbox.take();
      if (message === null) return;
      this.#handling = true;
      await this.#handle(message);
      await advance(this.#core);
      await this.#answerWaiters();
      this.#publish();
      this.#handling = false;
    }
  }

  async #handle(message: GroupMessage): Promise<void> {
    switch (message.kind) {
      case 'Seen':
        return this.#see();
      case 'Allocate':
        return this.#allocate(message);
      case 'PreStart':
        return this.#preStart(message);
      case 'HolderFound':
        return this.#holderFound(message.pod);
      case 'EndLease':
        return this.#endLease(message.lease, message.why);
      case 'WorkEnded':
        return workEnded(this.#core, message.work, message.result);
      case 'Pending':
      case 'Wake':
        return undefined;
    }
  }

  #see(): void {
    const seen = this.#latestSeen;
    this.#latestSeen = null;
    if (seen === null) return;
    this.#core.see(seen);
  }

  async #allocate(message: Extract<GroupMessage, { kind: 'Allocate' }>): Promise<void> {
    const allocation = await allocateGroup(this.#core, message.resource, this.#context.holderCheck);
    message.reply(allocation);
    if (allocation.kind === 'leased') await allocation.persist?.();
  }

  async #preStart(message: PreStartMessage): Promise<void> {
    const refusal = await prepareStart(this.#core, message.resource);
    if (refusal !== null) {
      message.reply(refusal);
      return;
    }
    this.#waiters.add(message);
    const { clock } = this.#context.ports;
    this.#core.wakeAfter(Math.max(0, message.deadlineMs - clock.monotonicMs()));
  }

  async #answerWaiters(): Promise<void> {
    if (this.#waiters.size === 0) return;
    const answer = await tryStart(this.#core);
    const nowMs = this.#context.ports.clock.monotonicMs();
    for (const waiter of this.#waiters) {
      const late = nowMs >= waiter.deadlineMs;
      if (answer === null && !late) continue;
      this.#waiters.delete(waiter);
      waiter.reply(answer ?? { kind: 'refused', reason: 'NotClaimed', message: this.#notYet() });
    }
    // Verifying may have changed the record (a reset is due from now on).
    this.#core.assess();
  }

  #notYet(): string {
    const { leader, pending, failure, decision } = this.#core.state;
    const hanging = [...pending][0];
    if (hanging !== undefined)
      return `${leader}: "${hanging[1]} ${hanging[0]}" is still blocked in the kernel`;
    if (failure !== null) return `${leader}: ${failure.message}`;
    if (decision.kind === 'Wait') return `${leader}: ${decision.why}`;
    return `${leader} is not claimed yet (${decision.kind})`;
  }

  async #holderFound(pod: NonNullable<Lease['pod']>): Promise<void> {
    const { record } = this.#core.state;
    if (record === null || record.lease === null) return;
    const { pod: before, since } = record.lease;
    const same = before?.namespace === pod.namespace && before.name === pod.name;
    if (same && (before.uid !== null || pod.uid === null)) return;
    await this.#core.save({ ...record, lease: { since, pod } });
  }

  async #endLease(lease: Lease, why: string): Promise<void> {
    const { state, ports } = this.#core;
    const { record } = state;
    if (record === null || record.lease === null || record.lease.since !== lease.since) return;
    const eager = state.seen?.match?.policy.binding === 'Eager' && record.phase === 'Assigned';
    const phase = eager ? 'Claimed' : 'Returning';
    if (!(await this.#core.save({ ...record, phase, lease: null, answer: null }))) {
      this.#core.wakeAfter(ports.timing.retryMinMs);
      return;
    }
    if (state.work?.goal === 'Take') state.work.superseded = true;
    state.startedUnderLease = false;
    state.failure = null;
    if (phase === 'Returning') state.flowStartedMs = ports.clock.monotonicMs();
    ports.log.info('lease ended', { leader: this.leader, pod: record.lease.pod, why });
    await this.#core.withdraw();
    // Where the last survey still saw the tenant, the return need not wait for the next one.
    const inside = state.seen?.look?.inside.kind;
    if (phase === 'Returning' && inside !== 'nobody') await this.#core.look();
  }

  #publish(): void {
    const before = this.#view;
    this.#view = viewOf(this.#core.state);
    this.#context.onView(this.#view, before);
  }
}
