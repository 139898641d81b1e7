// Leader election by a Lease. Leadership ends by local time, before anybody else can have taken it: a request that
// hangs, or a process that slept, cannot prolong it. Whoever lost it should end, and start again as nobody.
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { ApiClient } from '../client.ts';
import { microTime } from '../events/event-object.ts';
import type { ClusterMetrics } from '../metrics.ts';
import { resources } from '../objects.ts';
import { type ApiResult, problemText } from '../problem.ts';
import {
  givenBack,
  heldBy,
  type LeaseObject,
  mayTake,
  type Observation,
  observe,
} from './lease.ts';

/** What an election is made from. */
export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Of this process alone: pod name and uid. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: ClusterMetrics;
  readonly times?: Partial<ElectionTimes>;
}

/** The times of an election; duration > deadline > retry. */
export interface ElectionTimes {
  /** For how long a lease is respected that is not seen to change. */
  readonly durationMs: number;
  /** The leader gives up when it could not renew for this long. */
  readonly renewDeadlineMs: number;
  /** Between two tries. */
  readonly retryMs: number;
}

/** The times of controller-runtime. */
const defaultTimes: ElectionTimes = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };

/** What the leader has in its hand. */
export interface Leadership {
  /** Fires when leadership is lost or the process is to end. */
  readonly signal: AbortSignal;
  /** True while nobody else can be leader; ask right before what must not be done twice. */
  certain(): boolean;
}

/** How an election ended. */
export type ElectionEnd = 'stopped' | 'lost';

/** One candidate. */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #times: ElectionTimes;
  #seen: Observation | null = null;
  /** Leader until then, by local time; taken from the moment before the renewing request was sent. */
  #certainUntilMs = Number.NEGATIVE_INFINITY;
  #otherHolder = '';

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#times = { ...defaultTimes, ...options.times };
  }

  /**
   * Waits for leadership, runs `lead`, and resolves when it is over: `stopped` when the signal fired (the lease is
   * given back after `lead` has ended) or `lead` came to its end, `lost` when it could not be renewed in time.
   */
  async run(
    lead: (leadership: Leadership) => Promise<void>,
    signal: AbortSignal,
  ): Promise<ElectionEnd> {
    if (!(await this.#acquire(signal))) return 'stopped';
    const { log, metrics, lease, identity } = this.#options;
    log.info('cluster-leading', { lease: lease.name, identity });
    metrics.leading(true);
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const leadership = { signal: over.signal, certain: () => this.#certain() };
    const work = lead(leadership).catch((thrown: unknown) => {
      log.error('cluster-leader-threw', { lease: lease.name, thrown: errorText(thrown) });
    });
    // The lease is renewed until the work has really ended, also after it was told to.
    const ended = new AbortController();
    void work.then(() => ended.abort());
    const lost = await this.#renewUntil(ended.signal);
    if (lost) {
      log.error('cluster-leadership-lost', { lease: lease.name, holder: this.#otherHolder });
      over.abort();
    }
    await work;
    signal.removeEventListener('abort', stop);
    metrics.leading(false);
    if (!lost) await this.#giveBack();
    return lost ? 'lost' : 'stopped';
  }

  /** Who holds the lease as far as was seen; "" when nobody does. */
  get holder(): string {
    return this.#seen?.lease.spec?.holderIdentity ?? '';
  }

  #certain(): boolean {
    return this.#options.clock.monotonicMs() < this.#certainUntilMs;
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      if (await this.#try(signal)) return true;
      await sleep(clock, this.#times.retryMs * (1 + random.next() * 0.2), signal);
    }
    return false;
  }

  /** Renews every retryMs; true when the deadline passed without a renewal, false when `ended` fired. */
  async #renewUntil(ended: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#options;
    const retryMs = (): number => this.#times.retryMs * (1 + random.next() * 0.1);
    while (await sleep(clock, Math.max(0, Math.min(retryMs(), this.#leftMs())), ended)) {
      if (this.#leftMs() <= 0) return true;
      await this.#try(ended);
      if (this.#leftMs() <= 0 && !ended.aborted) return true;
      if (this.#otherHolder !== '') return true;
    }
    return false;
  }

  #leftMs(): number {
    return this.#certainUntilMs - this.#options.clock.monotonicMs();
  }

  /** One try to take or renew. True when it is ours by the server's word. Never outlasts leadership. */
  async #try(signal: AbortSignal): Promise<boolean> {
    const { clock, identity, log, lease } = this.#options;
    const startedMs = clock.monotonicMs();
    const over = new AbortController();
    const stop = (): void => over.abort();
    const leftMs = this.#leftMs() > 0 ? this.#leftMs() : this.#times.renewDeadlineMs;
    const timer = clock.after(leftMs, stop);
    signal.addEventListener('abort', stop, { once: true });
    const written = await this.#takeOrRenew(over.signal);
    timer.clear();
    signal.removeEventListener('abort', stop);
    if (!written.ok) {
      const why = problemText(written.problem);
      log.debug('cluster-lease-not-written', { lease: lease.name, why });
      return false;
    }
    if (written.value.spec?.holderIdentity !== identity) return false;
    this.#certainUntilMs = startedMs + this.#times.renewDeadlineMs;
    return true;
  }

  async #takeOrRenew(signal: AbortSignal): Promise<ApiResult<LeaseObject>> {
    const { client, clock, identity, lease } = this.#options;
    // Half of the deadline: one connection may be dead, the next one gets its chance.
    const call = { signal, timeoutMs: this.#times.renewDeadlineMs / 2, urgent: true };
    // The holder knows what it wrote last; only when that does not fit any more does it look.
    const mine = this.holder === identity ? this.#seen : null;
    if (mine !== null) {
      const renewed = await client.replace(resources.leases, this.#held(mine.lease), call);
      if (renewed.ok || renewed.problem.kind !== 'conflict') return this.#noted(renewed);
    }
    const found = await client.get<LeaseObject>(resources.leases, lease, call);
    if (!found.ok) {
      if (found.problem.kind !== 'notFound') return found;
      const empty: LeaseObject = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: lease,
      };
      return this.#noted(await client.create(resources.leases, this.#held(empty), call));
    }
    const nowMs = clock.monotonicMs();
    this.#seen = observe(this.#seen, found.value, nowMs);
    this.#otherHolder = this.holder === identity ? '' : this.holder;
    if (!mayTake(this.#seen, identity, nowMs)) return found;
    return this.#noted(await client.replace(resources.leases, this.#held(found.value), call));
  }

  #held(lease: LeaseObject): LeaseObject {
    const { clock, identity } = this.#options;
    const durationSeconds = Math.ceil(this.#times.durationMs / 1000);
    return heldBy(lease, identity, { durationSeconds, now: microTime(clock.wallMs()) });
  }

  #noted(written: ApiResult<LeaseObject>): ApiResult<LeaseObject> {
    if (!written.ok) return written;
    this.#seen = { lease: written.value, seenAtMs: this.#options.clock.monotonicMs() };
    this.#otherHolder = '';
    return written;
  }

  /** So that the next one need not wait. If it fails the lease runs out by itself. */
  async #giveBack(): Promise<void> {
    const { client, clock, lease, log, identity } = this.#options;
    const call = { timeoutMs: 2000, urgent: true };
    this.#certainUntilMs = Number.NEGATIVE_INFINITY;
    let mine = this.#seen?.lease;
    // Twice: a renewal that was cut off by the end may have been written all the same.
    for (let attempt = 0; attempt < 2; attempt++) {
      if (mine?.spec?.holderIdentity !== identity) return;
      const back = givenBack(mine, microTime(clock.wallMs()));
      const answer = await client.replace(resources.leases, back, call);
      if (answer.ok) {
        log.info('cluster-lease-given-back', { lease: lease.name });
        return;
      }
      if (answer.problem.kind !== 'conflict') return;
      const found = await client.get<LeaseObject>(resources.leases, lease, call);
      mine = found.ok ? found.value : undefined;
    }
  }
}
