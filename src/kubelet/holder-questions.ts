// When the kubelet is asked for its list of holders: seldom while one only keeps an eye on leases, at once for a pod that
// waits in Allocate. Callers that wait at the same time share one answer.
import { type Clock, sleep } from '../base/clock.ts';
import { type Rate, TokenBucket } from '../base/token-bucket.ts';
import type { HolderSource, HoldersAnswer } from './pods.ts';

/** How often the kubelet may be asked. */
export interface QuestionRates {
  /** Least time from one question to the next that nobody waits for. */
  readonly minIntervalMs: number;
  /** Questions that somebody waits for. */
  readonly fresh: Rate;
}

/**
 * The rates in use. The kubelet answers 100 calls a second with bursts of 10, for all clients of a node together
 * (pkg/kubelet/apis/podresources/constants.go); what exceeds it fails at once.
 */
export const defaultQuestionRates: QuestionRates = {
  minIntervalMs: 1000,
  fresh: { perSecond: 20, burst: 5 },
};

/** What questions are asked with. */
export interface QuestionsOptions {
  readonly rates: QuestionRates;
  readonly clock: Clock;
  /** Asks now, at `askedAtMs`. Never rejects. */
  readonly ask: (askedAtMs: number) => Promise<HoldersAnswer>;
  /** Ends all waiting. */
  readonly signal?: AbortSignal;
}

/** Whether somebody waits for the answer. */
type Kind = 'patient' | 'fresh';

/** Puts questions at the right time. One is asked after the other. */
export class HolderQuestions implements HolderSource {
  readonly #options: QuestionsOptions;
  readonly #bucket: TokenBucket;
  readonly #waiting: Record<Kind, Promise<HoldersAnswer> | null> = { patient: null, fresh: null };
  #asking: Promise<unknown> = Promise.resolve();
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: QuestionsOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.rates.fresh, options.clock);
  }

  /** The answer to a question asked after this call; with `fresh`, as soon as the rate for those allows. */
  list({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<HoldersAnswer> {
    const kind = fresh ? 'fresh' : 'patient';
    this.#waiting[kind] ??= this.#inTurn(kind);
    return this.#waiting[kind];
  }

  async #inTurn(kind: Kind): Promise<HoldersAnswer> {
    await (kind === 'fresh' ? this.#allowed() : this.#longEnough());
    const answer = this.#asking.then(() => {
      // From here on the question is being asked: who calls now waits for the next one.
      this.#waiting[kind] = null;
      this.#askedAtMs = this.#options.clock.monotonicMs();
      return this.#options.ask(this.#askedAtMs);
    });
    this.#asking = answer;
    return answer;
  }

  async #allowed(): Promise<void> {
    // Where all waiting has ended, `ask` says so at once.
    while (!this.#bucket.take() && this.#options.signal?.aborted !== true)
      await this.#sleep(this.#bucket.waitMs());
  }

  async #longEnough(): Promise<void> {
    const { clock, rates } = this.#options;
    await this.#asking;
    await this.#sleep(this.#askedAtMs + rates.minIntervalMs - clock.monotonicMs());
  }

  async #sleep(ms: number): Promise<void> {
    if (ms > 0) await sleep(this.#options.clock, ms, this.#options.signal);
  }
}
