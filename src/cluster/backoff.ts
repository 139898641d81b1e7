// How long to wait after a failure, and how often something may be done: two counters without timers.
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

/** First and longest wait. */
export interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
}

/** The wait after the `failures`th failure in a row (1 is the first): doubling, capped, between half and all of it. */
export function backoffMs(failures: number, limits: BackoffLimits, random: Random): number {
  const doubled = limits.baseMs * 2 ** Math.min(failures - 1, 30);
  const longest = Math.min(limits.capMs, doubled);
  return longest / 2 + (random.next() * longest) / 2;
}

/** Waits that grow with every failure in a row. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: Random;
  #failures = 0;

  constructor(limits: BackoffLimits, random: Random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** The wait after one more failure. */
  nextMs(): number {
    this.#failures++;
    return backoffMs(this.#failures, this.#limits, this.#random);
  }

  /** It went well: the next failure is the first again. */
  reset(): void {
    this.#failures = 0;
  }
}

/** A rate with room for a burst. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket by local time. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#atMs = clock.monotonicMs();
  }

  /** Takes a token if there is one. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Time until there is a token; 0 when there is one. */
  waitMs(): number {
    this.#fill();
    // Rounded up: a timer that fires a fraction early would find no token.
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#rate.perSecond) * 1000);
  }

  /** True when nothing was taken for so long that the bucket is as new. */
  get full(): boolean {
    this.#fill();
    return this.#tokens >= this.#rate.burst;
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    const grown = ((nowMs - this.#atMs) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + grown);
    this.#atMs = nowMs;
  }
}
