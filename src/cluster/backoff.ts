// How long to wait after a failure: a counter without timers.
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
