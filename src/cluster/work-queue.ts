// Work by key: what is added while it waits is merged, what is added while it runs makes it run once more, and no
// key ever runs twice at the same time. Failures come back later and later; the rate of all runs is limited.
import type { Clock, Timer } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { type Rate, TokenBucket } from '../base/token-bucket.ts';
import { type BackoffLimits, backoffMs } from './backoff.ts';

/** What came of one run. */
export type RunOutcome =
  | { readonly kind: 'done' }
  /** Nothing is wrong, look again later. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** Try again after the growing wait; `atLeastMs` when the server asked for it. */
  | { readonly kind: 'failed'; readonly why: string; readonly atLeastMs?: number };

/** What a queue is made from. */
export interface WorkQueueOptions {
  /** For log lines. */
  readonly name: string;
  /** One run for one key. A throw is a failure. */
  run(key: string, signal: AbortSignal): Promise<RunOutcome>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Keys that may run at the same time. Default 4. */
  readonly concurrency?: number;
  readonly backoff?: BackoffLimits;
  /** Of the first runs of all keys together. */
  readonly rate?: Rate;
}

const defaultBackoff: BackoffLimits = { baseMs: 100, capMs: 30_000 };
const defaultRate: Rate = { perSecond: 20, burst: 100 };

interface Entry {
  running: boolean;
  /** Added while it ran. */
  again: boolean;
  failures: number;
  /** Not before, whoever adds it: the server said so. */
  notBeforeMs: number;
  timer: Timer | null;
}

/** A queue of keys. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #bucket: TokenBucket;
  readonly #entries = new Map<string, Entry>();
  /** Keys that may run as soon as there is room, in order. */
  readonly #ready = new Set<string>();
  readonly #idle = new Set<() => void>();
  #running = 0;
  #signal: AbortSignal | null = null;
  #rateTimer: Timer | null = null;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.rate ?? defaultRate, options.clock);
  }

  /** Runs keys until the signal fires; resolves when the last run is over. Call it once. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#advance();
    if (!signal.aborted) {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#rateTimer?.clear();
    for (const entry of this.#entries.values()) entry.timer?.clear();
    while (this.#running > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
    this.#tellIdle();
  }

  /** Wants a run for `key` as soon as it may. Ends a wait after a failure, unless the server asked for it. */
  add(key: string): void {
    const entry = this.#entry(key);
    if (entry.running) {
      entry.again = true;
      return;
    }
    this.#wait(key, entry, entry.notBeforeMs - this.#options.clock.monotonicMs());
  }

  /** Wants a run for `key` in `delayMs`, unless one comes earlier anyway. */
  addAfter(key: string, delayMs: number): void {
    const entry = this.#entry(key);
    if (entry.running || entry.timer !== null || this.#ready.has(key)) return;
    this.#wait(key, entry, delayMs);
  }

  /**
   * Resolves when nothing runs and nothing is ready to run, or run() has ended; keys that wait after a failure do not
   * count.
   */
  async settled(): Promise<void> {
    while (this.#running > 0 || (this.#ready.size > 0 && this.#signal?.aborted !== true)) {
      await new Promise<void>((resolve) => this.#idle.add(resolve));
    }
  }

  /** Keys that run, are ready or wait. */
  get size(): number {
    return this.#entries.size;
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = { running: false, again: false, failures: 0, notBeforeMs: 0, timer: null };
    this.#entries.set(key, entry);
    return entry;
  }

  #wait(key: string, entry: Entry, delayMs: number): void {
    entry.timer?.clear();
    entry.timer = null;
    if (delayMs <= 0) {
      this.#ready.add(key);
      this.#advance();
      return;
    }
    entry.timer = this.#options.clock.after(delayMs, () => {
      entry.timer = null;
      this.#ready.add(key);
      this.#advance();
    });
  }

  #advance(): void {
    const signal = this.#signal;
    if (signal === null || signal.aborted) return;
    for (const key of this.#ready) {
      if (this.#running >= (this.#options.concurrency ?? 4)) return;
      if (!this.#bucket.take()) {
        this.#rateTimer ??= this.#options.clock.after(this.#bucket.waitMs(), () => {
          this.#rateTimer = null;
          this.#advance();
        });
        return;
      }
      this.#ready.delete(key);
      void this.#runOnce(key, this.#entry(key), signal);
    }
  }

  async #runOnce(key: string, entry: Entry, signal: AbortSignal): Promise<void> {
    entry.running = true;
    entry.again = false;
    this.#running++;
    const outcome = await this.#outcome(key, signal);
    entry.running = false;
    this.#running--;
    this.#after(key, entry, outcome);
    this.#advance();
    if (this.#running === 0) this.#tellIdle();
  }

  #tellIdle(): void {
    const idle = [...this.#idle];
    this.#idle.clear();
    for (const resolve of idle) resolve();
  }

  async #outcome(key: string, signal: AbortSignal): Promise<RunOutcome> {
    try {
      return await this.#options.run(key, signal);
    } catch (thrown) {
      const why = errorText(thrown);
      this.#options.log.error('cluster-work-threw', {
        queue: this.#options.name,
        key,
        thrown: why,
      });
      return { kind: 'failed', why };
    }
  }

  #after(key: string, entry: Entry, outcome: RunOutcome): void {
    const { clock, random, log, name, backoff = defaultBackoff } = this.#options;
    if (this.#signal?.aborted === true) return;
    switch (outcome.kind) {
      case 'done':
        entry.failures = 0;
        entry.notBeforeMs = 0;
        if (entry.again) this.#wait(key, entry, 0);
        else this.#entries.delete(key);
        return;
      case 'again':
        entry.failures = 0;
        this.#wait(key, entry, entry.again ? 0 : outcome.afterMs);
        return;
      case 'failed': {
        const { why, atLeastMs = 0 } = outcome;
        entry.failures++;
        entry.notBeforeMs = clock.monotonicMs() + atLeastMs;
        // What was added meanwhile may be the cure: it is tried without the growing wait, but not in a tight loop.
        const failures = entry.again ? 1 : entry.failures;
        const afterMs = atLeastMs + backoffMs(failures, backoff, random);
        log.debug('cluster-work-failed', {
          queue: name,
          key,
          why,
          failures: entry.failures,
          afterMs,
        });
        this.#wait(key, entry, afterMs);
      }
    }
  }
}
