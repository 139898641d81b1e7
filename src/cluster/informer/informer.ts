// One resource kept up to date in memory, for months: list by pages, watch from there, and go on after everything
// that can happen in between. It never gives up and never throws; what it is worth right now is in health().
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { ok } from '../../base/result.ts';
import { Backoff } from '../backoff.ts';
import type { ApiClient } from '../client.ts';
import type { ClusterMetrics } from '../metrics.ts';
import { type KubeObject, objectKey, type Resource, withoutManagedFields } from '../objects.ts';
import type { ApiResult } from '../problem.ts';
import type { Selection } from '../query.ts';
import type { WatchEvent } from '../watch.ts';
import { ObjectCache } from './cache.ts';
import { Handlers, type InformerHandler } from './handlers.ts';
import type { InformerHealth } from './health.ts';
import { type Reaction, reactionTo, type RoundEnd } from './reaction.ts';
import { defaultTimings, type InformerTimings } from './timings.ts';

/** What an informer is made from. */
export interface InformerOptions<Kept extends KubeObject> extends Selection {
  readonly client: ApiClient;
  readonly resource: Resource;
  /**
   * What to keep of an object; null: nothing. metadata's name, namespace, uid and resourceVersion must stay. The
   * whole object is dropped, so 40 000 objects cost what is kept of them. Default: everything but managedFields.
   */
  readonly keep?: (object: KubeObject) => Kept | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: ClusterMetrics;
  readonly timings?: Partial<InformerTimings>;
  /** The server is heard again after it was not: what could not be written meanwhile may be tried again. */
  readonly onRestored?: () => void;
}

/** The waits have reached their cap by then. */
const silencesOfAnOutage = 5;

/** Keeps one resource. */
export class Informer<Kept extends KubeObject = KubeObject> {
  readonly #options: InformerOptions<Kept>;
  readonly #timings: InformerTimings;
  readonly #cache = new ObjectCache<Kept>();
  readonly #handlers: Handlers<Kept>;
  readonly #backoff: Backoff;
  readonly #slowBackoff: Backoff;
  readonly #synced = Promise.withResolvers<boolean>();
  #hasSynced = false;
  #resourceVersion: string | null = null;
  #trouble: Reaction | null = null;
  /** Rounds in a row that no server answered. */
  #silences = 0;
  /** The trouble that was warned of last, and when. */
  #warned: string | null = null;
  #warnedAtMs = 0;
  #heardAtMs: number | null = null;
  #lists = 0;
  /** Larger after every list whose pages expired before its end. */
  #pageObjects: number;

  constructor(options: InformerOptions<Kept>) {
    this.#options = options;
    this.#timings = { ...defaultTimings, ...options.timings };
    this.#pageObjects = this.#timings.pageObjects;
    this.#handlers = new Handlers(options.resource.plural, options.log);
    this.#backoff = new Backoff(this.#timings.backoff, options.random);
    this.#slowBackoff = new Backoff(this.#timings.slow, options.random);
  }

  /** Keeps the resource until the signal fires. Call it once. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const round =
        this.#resourceVersion === null
          ? await this.#list(signal)
          : await this.#watch(this.#resourceVersion, signal);
      if (signal.aborted) break;
      const reaction = reactionTo(round);
      if (reaction.relist) this.#resourceVersion = null;
      this.#noteSilence(reaction);
      this.#tellOf(reaction);
      const waitMs = this.#waitMs(reaction);
      if (waitMs > 0) await sleep(this.#options.clock, waitMs, signal);
    }
    this.#synced.resolve(this.#hasSynced);
  }

  /** Resolves with true once handlers were told a whole list, with false when run() ended before that. */
  synced(): Promise<boolean> {
    return this.#synced.promise;
  }

  /** The cache has been complete once. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Adds a handler; it is told at once what is there already. The function that is returned removes it. */
  onChange(handler: InformerHandler<Kept>): () => void {
    return this.#handlers.add(handler, this.#cache.values());
  }

  /** The object as it was last heard of. */
  get(name: string, namespace?: string): Kept | undefined {
    return this.#cache.get(objectKey(namespace === undefined ? { name } : { namespace, name }));
  }

  /** All objects, in no order. */
  values(): IterableIterator<Kept> {
    return this.#cache.values();
  }

  /** Number of objects. */
  get size(): number {
    return this.#cache.size;
  }

  /** What all this is worth now. */
  health(): InformerHealth {
    const nowMs = this.#options.clock.monotonicMs();
    return {
      synced: this.#hasSynced,
      problem: this.#trouble?.problem ?? null,
      current: this.#hasSynced && this.#trouble === null,
      heardAgeMs: this.#heardAtMs === null ? null : nowMs - this.#heardAtMs,
      lists: this.#lists,
    };
  }

  async #list(signal: AbortSignal): Promise<RoundEnd> {
    const { metrics, resource } = this.#options;
    this.#lists++;
    metrics.listed(resource.plural, this.#hasSynced ? 'expired' : 'start');
    const listed = await this.#pages(signal);
    if (!listed.ok) {
      if (listed.problem.kind === 'gone') this.#pageObjects *= 4;
      return { kind: 'list-failed', problem: listed.problem };
    }
    this.#pageObjects = this.#timings.pageObjects;
    this.#heard();
    this.#resourceVersion = listed.value.resourceVersion;
    this.#handlers.tell(this.#cache.replace(listed.value.objects));
    this.#recovered();
    this.#resetBackoff();
    this.#hasSynced = true;
    this.#synced.resolve(true);
    return { kind: 'listed' };
  }

  /** Every page is made slim before the next is asked for. */
  async #pages(
    signal: AbortSignal,
  ): Promise<ApiResult<{ readonly objects: Map<string, Kept>; readonly resourceVersion: string }>> {
    const { client, resource, namespace, labelSelector, fieldSelector } = this.#options;
    const timeoutMs = this.#timings.listSilenceMs;
    const selection = { namespace, labelSelector, fieldSelector, signal, timeoutMs };
    const limit = this.#pageObjects;
    const objects = new Map<string, Kept>();
    let next: string | undefined;
    for (;;) {
      const page = await client.list(resource, { ...selection, limit, continue: next });
      if (!page.ok) return page;
      for (const item of page.value.items ?? []) {
        const kept = this.#slim(item);
        if (kept !== null) objects.set(objectKey(kept.metadata), kept);
      }
      const { resourceVersion = '', continue: following = '' } = page.value.metadata;
      if (following === '') return ok({ objects, resourceVersion });
      next = following;
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<RoundEnd> {
    const { client, clock, random, resource } = this.#options;
    const { namespace, labelSelector, fieldSelector } = this.#options;
    const startedMs = clock.monotonicMs();
    // Spread: informers that started together do not all come back together.
    const timeoutSeconds = Math.round(this.#timings.watchSeconds * (1 + random.next()));
    const { idleMs } = this.#timings;
    const selection = { namespace, labelSelector, fieldSelector };
    const options = { ...selection, resourceVersion, timeoutSeconds, idleMs, signal };
    const end = await client.watch(resource, options, (event) => {
      if (!signal.aborted) this.#take(event);
      return !signal.aborted;
    });
    if (end.kind !== 'ended' && end.kind !== 'aborted') {
      this.#options.metrics.watchBroke(resource.plural);
    }
    return { kind: 'watched', end, livedMs: clock.monotonicMs() - startedMs };
  }

  #take(event: WatchEvent): void {
    this.#recovered();
    // A server that opens watches and drops them is no better for it: the waits go on growing.
    if (event.kind === 'opened') return;
    this.#heard();
    this.#resetBackoff();
    if (event.kind === 'bookmark') {
      if (event.resourceVersion !== '') this.#resourceVersion = event.resourceVersion;
      return;
    }
    const { metadata } = event.object;
    const kept = this.#slim(event.object);
    const changes =
      event.kind === 'deleted' || kept === null
        ? this.#cache.remove(objectKey(metadata), kept ?? undefined)
        : this.#cache.put(kept);
    this.#resourceVersion = metadata.resourceVersion ?? this.#resourceVersion;
    this.#handlers.tell(changes);
  }

  /** What is kept of an object. One that `keep` fails on is left out and told of: the others still count. */
  #slim(object: KubeObject): Kept | null {
    const { keep, log, resource } = this.#options;
    try {
      return keep === undefined ? (withoutManagedFields(object) as Kept) : keep(object);
    } catch (thrown) {
      const why = errorText(thrown);
      log.error('cluster-object-unusable', {
        resource: resource.plural,
        object: object.metadata?.name,
        why,
      });
      return null;
    }
  }

  #heard(): void {
    this.#heardAtMs = this.#options.clock.monotonicMs();
    this.#options.metrics.heard(this.#options.resource.plural);
  }

  /** The next failure is the first again. */
  #resetBackoff(): void {
    this.#backoff.reset();
    this.#slowBackoff.reset();
  }

  #recovered(): void {
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.#warned = null;
    this.#answered();
    this.#options.log.info('cluster-watch-restored', { resource: this.#options.resource.plural });
    this.#options.onRestored?.();
  }

  #noteSilence({ problem }: Reaction): void {
    if (problem === null) return;
    if (problem.kind === 'unavailable') this.#silences++;
    else this.#answered();
  }

  /**
   * A server that answers again, be it with a refusal while it starts, is no reason to wait as long as for one that was
   * away. One that answers now and then is: only after a real outage do the waits begin anew.
   */
  #answered(): void {
    if (this.#silences >= silencesOfAnOutage) this.#resetBackoff();
    this.#silences = 0;
  }

  #tellOf(reaction: Reaction): void {
    if (reaction.trouble === null) return;
    const { log, resource } = this.#options;
    const fields = { resource: resource.plural, why: reaction.trouble, relist: reaction.relist };
    const nowMs = this.#options.clock.monotonicMs();
    const news = this.#trouble === null || nowMs - this.#warnedAtMs > this.#timings.warnMs;
    // An API server that is away for an hour is a few lines; one that refuses for another reason now is told.
    if (news && reaction.trouble !== this.#warned) {
      log.warn('cluster-watch-interrupted', fields);
      this.#warned = reaction.trouble;
      this.#warnedAtMs = nowMs;
    } else log.debug('cluster-watch-still-interrupted', fields);
    this.#trouble = reaction;
  }

  #waitMs({ pause }: Reaction): number {
    switch (pause.kind) {
      case 'none':
        return 0;
      case 'backoff': {
        const ownMs = this.#backoff.nextMs();
        // Spread behind the moment that the server named.
        return pause.atLeastMs > 0 ? pause.atLeastMs + this.#options.random.next() * ownMs : ownMs;
      }
      case 'slow':
        return this.#slowBackoff.nextMs();
    }
  }
}
