// Finds out who holds the leased groups and when they have gone: asks the kubelet's lists while there are
// leases, and nothing while there are none.
import type { Timer } from '../base/clock.ts';
import {
  type DepartureEvidence,
  holderOf,
  judgeDeparture,
  type LeasedDevice,
  type ListWatch,
  newListWatch,
  watchLists,
} from '../kubelet/departure.ts';
import type { HoldersAnswer } from '../kubelet/pods.ts';
import type { GroupRecord, Lease } from '../ownership/record.ts';
import type { Inside } from '../ownership/use.ts';
import type { PciAddress } from '../pci/address.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { GroupActor } from './group-actor.ts';
import type { AgentPorts } from './ports.ts';

interface Watched {
  readonly lease: Lease;
  readonly device: LeasedDevice;
  readonly lists: ListWatch;
}

/** While a holder is leaving, the kubelet is asked so much more often, for that many lists: then something keeps it. */
const hastenedBy = 4;
const hastenedLists = 10;

/** What the watch needs of the agent. */
export interface LeaseWatchContext {
  readonly ports: Pick<
    AgentPorts,
    'clock' | 'log' | 'host' | 'holders' | 'pods' | 'timing' | 'departure'
  >;
  readonly actors: () => Iterable<GroupActor>;
}

/** Asks, folds answers in, and tells actors about holders that were found or have gone. */
export class LeaseWatch {
  readonly #context: LeaseWatchContext;
  readonly #watched = new Map<PciAddress, Watched>();
  #timer: Timer | null = null;
  #asking = false;
  #stopped = false;

  constructor(context: LeaseWatchContext) {
    this.#context = context;
  }

  /** Call when leases may have changed: asks soon, if there is anything to ask. */
  wake(): void {
    if (this.#timer !== null || this.#asking || this.#stopped || this.#leased().length === 0)
      return;
    const { clock, timing } = this.#context.ports;
    const leaving = this.#leaving();
    const delayMs = leaving ? timing.holdersMs / hastenedBy : timing.holdersMs;
    this.#timer = clock.after(delayMs, () => {
      this.#timer = null;
      this.#asking = true;
      void this.#ask(leaving).finally(() => {
        this.#asking = false;
        this.wake();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.clear();
    this.#timer = null;
  }

  /** A holder is not listed any more, since a moment ago: the API server will say the same soon, if it is asked at all. */
  #leaving(): boolean {
    return [...this.#watched.values()].some(({ lease, lists: { absence } }) => {
      if (absence === null || absence.lists >= hastenedLists) return false;
      return this.#context.ports.pods.statusOf(lease).kind !== 'unavailable';
    });
  }

  #leased(): { readonly actor: GroupActor; readonly record: GroupRecord; readonly lease: Lease }[] {
    const found = [];
    for (const actor of this.#context.actors()) {
      const { record } = actor;
      if (record?.lease) found.push({ actor, record, lease: record.lease });
    }
    return found;
  }

  async #ask(fresh: boolean): Promise<void> {
    const leased = this.#leased();
    const leaders = new Set(leased.map(({ actor }) => actor.leader));
    for (const leader of this.#watched.keys())
      if (!leaders.has(leader)) this.#watched.delete(leader);
    for (const { record, lease } of leased) this.#begin(record, lease);
    const answer = await this.#context.ports.holders.list({ fresh });
    for (const { actor, record, lease } of leased) {
      if (this.#stopped) return;
      await this.#fold(actor, record, lease, answer);
    }
  }

  /** A lease that is new to the watch counts from now on: lists asked before say nothing about it. */
  #begin(record: GroupRecord, lease: Lease): void {
    if (this.#watched.get(record.leader)?.lease.since === lease.since) return;
    this.#watched.set(record.leader, {
      lease,
      device: {
        resource: record.resourceName as ResourceName,
        id: record.leader,
        sinceMs: this.#context.ports.clock.monotonicMs(),
      },
      lists: newListWatch(lease.pod !== null),
    });
  }

  async #fold(
    actor: GroupActor,
    record: GroupRecord,
    lease: Lease,
    answer: HoldersAnswer,
  ): Promise<void> {
    const watched = this.#watched.get(record.leader);
    if (watched === undefined || actor.record?.lease?.since !== lease.since) return;
    const lists = watchLists(watched.lists, answer, watched.device, this.#context.ports.departure);
    this.#watched.set(record.leader, { ...watched, lists });
    const holder = holderOf(answer, watched.device);
    if (holder !== null) {
      const { namespace, pod: name, container } = holder;
      const uid = this.#context.ports.pods.uidOf(namespace, name);
      const same = lease.pod?.namespace === namespace && lease.pod.name === name;
      // The kubelet tells no UID; the API server may tell it later.
      if (!same || (lease.pod?.uid === null && uid !== null))
        actor.post({ kind: 'HolderFound', pod: { namespace, name, uid, container } });
      return;
    }
    await this.#judge(actor, record, lease, lists);
  }

  /** Looks inside only when the kubelet's half of the rule is fulfilled: a close look costs a walk over /proc. */
  async #judge(
    actor: GroupActor,
    record: GroupRecord,
    lease: Lease,
    lists: ListWatch,
  ): Promise<void> {
    const { log, pods, departure: limits } = this.#context.ports;
    const evidence: DepartureEvidence = {
      lists,
      pod: pods.statusOf(lease),
      inside: { kind: 'nobody' },
    };
    if (judgeDeparture(evidence, limits).kind !== 'gone') return;
    const departure = judgeDeparture({ ...evidence, inside: await this.#inside(record) }, limits);
    if (departure.kind === 'gone') {
      actor.post({ kind: 'EndLease', lease, why: departure.why });
      return;
    }
    log.debug('lease kept', { leader: record.leader, why: departure.why });
  }

  #inside(record: GroupRecord): Promise<Inside> {
    return this.#context.ports.host.inside(record.members.map((member) => member.address));
  }

  /**
   * Whether the kubelet still names a holder of this group, asked anew: an answer from before the question
   * does not count. `unknown`: it cannot be asked, or is too young to know and has never named one.
   */
  async check(record: GroupRecord): Promise<'gone' | 'present' | 'unknown'> {
    const { clock, holders, departure } = this.#context.ports;
    const device: LeasedDevice = {
      resource: record.resourceName as ResourceName,
      id: record.leader,
      sinceMs: clock.monotonicMs(),
    };
    const answer = await holders.list({ fresh: true });
    const watched = this.#watched.get(record.leader);
    const known = watched?.lease.since === record.lease?.since ? watched?.lists : undefined;
    const { latest } = watchLists(known ?? newListWatch(true), answer, device, departure);
    switch (latest.kind) {
      case 'listed':
        return 'present';
      case 'not-listed':
        return 'gone';
      case 'none':
      case 'unreachable':
      case 'kubelet-too-young':
        return 'unknown';
    }
  }
}
