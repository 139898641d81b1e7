// Records Events. What happens again within minutes is merged into a series, one object must not flood, and an API
// server that is away costs old Events and nothing else: record() never waits and never fails.
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { type Rate, TokenBucket } from '../../base/token-bucket.ts';
import { Backoff } from '../backoff.ts';
import type { ApiClient } from '../client.ts';
import type { ClusterMetrics } from '../metrics.ts';
import { type KubeObject, type ObjectRef, resources } from '../objects.ts';
import { type ApiProblem, askedToWaitMs, problemText } from '../problem.ts';
import {
  eventObject,
  type EventSource,
  type Happening,
  microTime,
  seriesKey,
} from './event-object.ts';

/** What a recorder is made from. */
export interface EventRecorderOptions {
  readonly client: ApiClient;
  readonly source: EventSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: ClusterMetrics;
  readonly limits?: Partial<EventLimits>;
}

/** The limits of a recorder. */
export interface EventLimits {
  /** New Events about one object. */
  readonly perObject: Rate;
  /** Requests of the recorder as a whole. */
  readonly total: Rate;
  /** Events that may wait while the API server is away; the oldest goes first. */
  readonly queued: number;
  /** A series that has been quiet for this long is over: the next Event is a new one. */
  readonly seriesMs: number;
  /** A running series is written at most this often. */
  readonly seriesWriteMs: number;
}

const defaultLimits: EventLimits = {
  perObject: { perSecond: 1 / 60, burst: 10 },
  total: { perSecond: 5, burst: 50 },
  queued: 256,
  seriesMs: 360_000,
  seriesWriteMs: 60_000,
};

/** Objects whose rates are kept; when there are more, those that have been quiet longest are forgotten. */
const bucketsMax = 4096;

interface Series {
  readonly happening: Happening;
  /** Where the server has it; null before it was sent. */
  at: ObjectRef | null;
  count: number;
  written: number;
  lastWallMs: number;
  lastMs: number;
  /** When it was written last (monotonic). */
  writtenAtMs: number;
}

/** Records Events of one component. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #limits: EventLimits;
  readonly #total: TokenBucket;
  readonly #perObject = new Map<string, TokenBucket>();
  readonly #series = new Map<string, Series>();
  /** Keys of series to be written, oldest first. */
  readonly #due = new Set<string>();
  #wake: (() => void) | null = null;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#total = new TokenBucket(this.#limits.total, options.clock);
  }

  /** Records that something happened. Returns at once. */
  record(happening: Happening): void {
    const key = seriesKey(happening);
    const { clock, metrics } = this.#options;
    const [lastMs, lastWallMs] = [clock.monotonicMs(), clock.wallMs()];
    const running = this.#series.get(key);
    if (running !== undefined && lastMs - running.lastMs < this.#limits.seriesMs) {
      running.count++;
      Object.assign(running, { lastMs, lastWallMs });
      metrics.event('merged');
    } else {
      if (!this.#bucketOf(happening).take())
        return this.#drop(happening, 'too many about one object');
      const fresh = { at: null, count: 1, written: 0, writtenAtMs: Number.NEGATIVE_INFINITY };
      this.#series.set(key, { happening, ...fresh, lastWallMs, lastMs });
    }
    this.#due.add(key);
    this.#makeRoom();
    this.#wake?.();
  }

  /** Sends until the signal fires; what is due by then is not sent. Call it once. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = new Backoff({ baseMs: 500, capMs: 30_000 }, random);
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    while (!signal.aborted) {
      this.#forgetOld();
      const key = this.#next();
      if (key === null) {
        await this.#somethingToDo();
        continue;
      }
      const rateMs = this.#total.waitMs();
      if (rateMs > 0) await sleep(clock, rateMs, signal);
      this.#total.take();
      const problem = await this.#write(key, signal);
      if (problem === null) backoff.reset();
      else await sleep(clock, askedToWaitMs(problem) + backoff.nextMs(), signal);
    }
  }

  /** The oldest series that may be written now; a running one waits until it was quiet for a moment. */
  #next(): string | null {
    const nowMs = this.#options.clock.monotonicMs();
    for (const key of this.#due) {
      const writtenAtMs = this.#series.get(key)?.writtenAtMs ?? 0;
      if (nowMs - writtenAtMs >= this.#limits.seriesWriteMs) return key;
    }
    return null;
  }

  async #somethingToDo(): Promise<void> {
    // Series that may not be written yet are looked at again without being woken.
    const timer =
      this.#due.size === 0
        ? null
        : this.#options.clock.after(this.#limits.seriesWriteMs / 10, () => this.#wake?.());
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
    timer?.clear();
  }

  /** Writes one series. Null when it is written, or is never going to be. */
  async #write(key: string, signal: AbortSignal): Promise<ApiProblem | null> {
    const series = this.#series.get(key);
    this.#due.delete(key);
    if (series === undefined || series.count === series.written) return null;
    const { count } = series;
    const problem = await (series.at === null
      ? this.#create(series, signal)
      : this.#update(series, series.at, signal));
    if (problem === null) {
      series.written = count;
      series.writtenAtMs = this.#options.clock.monotonicMs();
      if (series.count > count) this.#due.add(key);
      this.#options.metrics.event('sent');
      return null;
    }
    if (problem.kind === 'notFound' && series.at !== null) {
      // The server keeps Events for an hour: this one is gone, a new one is made.
      series.at = null;
      this.#due.add(key);
      return null;
    }
    if (
      problem.kind === 'tooMany' ||
      problem.kind === 'unavailable' ||
      problem.kind === 'unauthorized'
    ) {
      this.#due.add(key);
      return problem;
    }
    this.#series.delete(key);
    if (problem.kind !== 'aborted') this.#drop(series.happening, problemText(problem));
    return null;
  }

  async #create(series: Series, signal: AbortSignal): Promise<ApiProblem | null> {
    const { client, source, random } = this.#options;
    const suffix = [random.below(2 ** 32), random.below(2 ** 32)]
      .map((part) => part.toString(16).padStart(8, '0'))
      .join('');
    const event = eventObject(series.happening, source, { wallMs: series.lastWallMs, suffix });
    const withSeries = series.count === 1 ? event : { ...event, series: seriesOf(series) };
    const answer = await client.create<KubeObject>(resources.events, withSeries, { signal });
    if (!answer.ok && answer.problem.kind !== 'alreadyExists') return answer.problem;
    const { name, namespace = 'default' } = event.metadata;
    series.at = { name, namespace };
    return null;
  }

  async #update(series: Series, at: ObjectRef, signal: AbortSignal): Promise<ApiProblem | null> {
    const patch = { series: seriesOf(series) };
    const answer = await this.#options.client.patch(resources.events, at, patch, { signal });
    return answer.ok ? null : answer.problem;
  }

  #bucketOf({ regarding }: Happening): TokenBucket {
    const key = JSON.stringify([regarding.kind, regarding.namespace, regarding.name]);
    const known = this.#perObject.get(key);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(this.#limits.perObject, this.#options.clock);
    this.#perObject.set(key, bucket);
    return bucket;
  }

  #makeRoom(): void {
    for (const key of this.#due) {
      if (this.#due.size <= this.#limits.queued) return;
      const series = this.#series.get(key);
      this.#due.delete(key);
      this.#series.delete(key);
      if (series !== undefined) this.#drop(series.happening, 'too many wait to be sent');
    }
  }

  #forgetOld(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [key, series] of this.#series) {
      const over = nowMs - series.lastMs >= this.#limits.seriesMs;
      if (over && !this.#due.has(key)) this.#series.delete(key);
    }
    if (this.#perObject.size <= bucketsMax) return;
    for (const [key, bucket] of this.#perObject) if (bucket.full) this.#perObject.delete(key);
  }

  #drop({ reason, regarding }: Happening, why: string): void {
    this.#options.metrics.event('dropped');
    this.#options.log.debug('cluster-event-dropped', { reason, regarding: regarding.name, why });
  }
}

function seriesOf({ count, lastWallMs }: Series): { count: number; lastObservedTime: string } {
  // The server refuses a series of one.
  return { count: Math.max(2, count), lastObservedTime: microTime(lastWallMs) };
}
