// Writes objects by server-side apply, and only when they have to change: what the server has (as last written or
// as last seen by an informer) is compared first, so that a steady state costs no request at all. One field
// manager to a component; it owns exactly what it sends and takes it from whoever else wrote it.
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Rate } from '../base/token-bucket.ts';
import type { BackoffLimits } from './backoff.ts';
import type { ApiClient } from './client.ts';
import { coversJson, sameJson } from './equal.ts';
import type { ClusterMetrics } from './metrics.ts';
import { apiVersionOf, type KubeObject, type OwnerReference, type Resource } from './objects.ts';
import { type ApiProblem, askedToWaitMs, problemText } from './problem.ts';
import { type RunOutcome, WorkQueue } from './work-queue.ts';

/** How an object is to be. */
export interface WantedObject {
  /**
   * Labels and owners of an object that this component makes. Null: the object is somebody else's; only its
   * status is written, and when it is not there nothing is.
   */
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
  } | null;
  readonly status: object;
}

/** An object with a status, as an informer has it. */
export interface StatusObject extends KubeObject {
  readonly status?: object;
}

/** What a writer is made from. */
export interface ObjectWriterOptions {
  readonly client: ApiClient;
  /** A cluster-scoped resource. */
  readonly resource: Resource;
  /** `wholegroup-agent` or `wholegroup-controller`. */
  readonly fieldManager: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: ClusterMetrics;
  /**
   * What an informer has of an object: undefined when it does not know yet, null when it is not there. Run the writer
   * once the informer is synced, and a process that finds everything as it should be writes nothing.
   */
  readonly live?: (name: string) => StatusObject | null | undefined;
  readonly rate?: Rate;
  readonly backoff?: BackoffLimits;
}

interface Entry {
  /** Null: it is not to be. */
  wanted: WantedObject | null;
  /** What the server has, as far as is known: undefined unknown, null not there. */
  live: StatusObject | null | undefined;
  /** What was written last, and the version that came of it: a server that keeps only part of it is not asked again. */
  wrote?: { readonly wanted: WantedObject; readonly resourceVersion: string | undefined };
}

/** Keeps objects of one resource as they are wanted. */
export class ObjectWriter {
  readonly #options: ObjectWriterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: WorkQueue;

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
    const { clock, random, log, rate, backoff } = options;
    this.#queue = new WorkQueue({
      name: `write ${options.resource.plural}`,
      run: (name, signal) => this.#write(name, signal),
      ...{ clock, random, log },
      ...(rate === undefined ? {} : { rate }),
      ...(backoff === undefined ? {} : { backoff }),
    });
  }

  /** Writes until the signal fires. Never rejects. */
  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  /** Says how an object is to be; null: it is not to be there. The newest word counts. */
  want(name: string, wanted: WantedObject | null): void {
    const entry = this.#entry(name);
    entry.wanted = wanted;
    if (!this.#isSo(entry)) this.#queue.add(name);
  }

  /** Does not care for an object any more, and leaves it as it is. */
  forget(name: string): void {
    this.#entries.delete(name);
  }

  /**
   * Says what the server has: for an informer's added, updated and (null) deleted. What another has changed or
   * removed is put back; an older version than was written here is no news.
   */
  saw(name: string, live: StatusObject | null): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    if (live !== null && isOlder(live, entry.live)) return;
    entry.live = live;
    if (!this.#isSo(entry)) this.#queue.add(name);
  }

  /** Resolves when nothing is being written and nothing is ready to be. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  /** Names whose last write failed, or is still to come. */
  get pending(): readonly string[] {
    return [...this.#entries].flatMap(([name, entry]) => (this.#isSo(entry) ? [] : [name]));
  }

  #entry(name: string): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const entry: Entry = { wanted: null, live: this.#options.live?.(name) };
    this.#entries.set(name, entry);
    return entry;
  }

  #isSo({ wanted, live, wrote }: Entry): boolean {
    if (wanted === null) return live === null;
    if (live === undefined) return false;
    if (live === null) return wanted.metadata === null;
    if (
      live.metadata.resourceVersion === wrote?.resourceVersion &&
      sameJson(wrote?.wanted, wanted)
    ) {
      return true;
    }
    return coversJson(live.metadata, wanted.metadata) && sameJson(live.status, wanted.status);
  }

  async #write(name: string, signal: AbortSignal): Promise<RunOutcome> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return { kind: 'done' };
    if (entry.live === undefined) entry.live = this.#options.live?.(name);
    if (this.#isSo(entry)) return { kind: 'done' };
    const { wanted } = entry;
    const problem =
      wanted === null
        ? await this.#remove(name, entry, signal)
        : await this.#apply(name, entry, wanted, signal);
    const { metrics, resource, log } = this.#options;
    if (problem === null) {
      const resourceVersion = entry.live?.metadata.resourceVersion;
      if (wanted !== null) entry.wrote = { wanted, resourceVersion };
      metrics.wrote(resource.plural, 'written');
      return { kind: 'done' };
    }
    if (problem.kind === 'aborted') return { kind: 'done' };
    metrics.wrote(resource.plural, 'failed');
    const why = problemText(problem);
    log.warn('cluster-write-failed', { resource: resource.plural, object: name, why });
    return { kind: 'failed', why, atLeastMs: askedToWaitMs(problem) };
  }

  async #remove(name: string, entry: Entry, signal: AbortSignal): Promise<ApiProblem | null> {
    const { client, resource } = this.#options;
    const uid = entry.live?.metadata.uid;
    const answer = await client.remove(resource, { name }, { signal, ...(uid && { uid }) });
    if (!answer.ok && answer.problem.kind !== 'notFound') return answer.problem;
    // Whoever wanted it again meanwhile finds it not there.
    entry.live = null;
    if (entry.wanted === null) this.#entries.delete(name);
    return null;
  }

  async #apply(
    name: string,
    entry: Entry,
    wanted: WantedObject,
    signal: AbortSignal,
  ): Promise<ApiProblem | null> {
    const { metadata, status } = wanted;
    if (metadata !== null && !coversJson(entry.live?.metadata ?? null, { name, ...metadata })) {
      const made = await this.#send(entry, { metadata: { name, ...metadata } }, undefined, signal);
      if (made !== null) return made;
    }
    if (entry.live && sameJson(entry.live.status, status)) return null;
    const sent = await this.#send(entry, { metadata: { name }, status }, 'status', signal);
    if (sent?.kind !== 'notFound') return sent;
    // Removed under our hands: an object of ours is made anew, another's is no business of ours.
    entry.live = null;
    return metadata === null ? null : sent;
  }

  async #send(
    entry: Entry,
    body: StatusObject,
    ...[subresource, signal]: ['status' | undefined, AbortSignal]
  ): Promise<ApiProblem | null> {
    const { client, resource, fieldManager } = this.#options;
    const named = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...body };
    const options = { fieldManager, force: true, signal };
    const answer = await client.apply(
      resource,
      named,
      subresource === undefined ? options : { ...options, subresource },
    );
    if (!answer.ok) return answer.problem;
    if (!isOlder(answer.value, entry.live)) entry.live = slim(answer.value);
    return null;
  }
}

/** What is compared, without the rest. */
function slim({ metadata, status }: StatusObject): StatusObject {
  const { name, uid, resourceVersion, labels, ownerReferences } = metadata;
  const kept = { name, uid, resourceVersion, labels, ownerReferences };
  return { metadata: kept as KubeObject['metadata'], ...(status && { status }) };
}

/** Versions of one object grow; Kubernetes lets them be compared as numbers since 1.35. */
function isOlder(a: KubeObject, b: KubeObject | null | undefined): boolean {
  if (!b || a.metadata.uid !== b.metadata.uid) return false;
  const [left, right] = [a, b].map((each) => Number(each.metadata.resourceVersion ?? Number.NaN));
  return (left ?? Number.NaN) < (right ?? Number.NaN);
}
