// When to look at the node: on hints, when the cheap fingerprint differs, and in a slow round. Hints that come
// together share one survey, and never do two surveys run at a time.
import type { Timer } from '../base/clock.ts';
import type { AgentPorts, SurveyTrigger } from './ports.ts';

/** What the watch is given. */
export interface NodeWatchContext {
  readonly ports: Pick<AgentPorts, 'clock' | 'timing'> & {
    readonly host: Pick<AgentPorts['host'], 'fingerprint' | 'changes'>;
  };
  /** Looks at the node. */
  readonly survey: (trigger: SurveyTrigger) => Promise<void>;
  readonly onCrash: (problem: unknown) => void;
}

/** What could not be read is looked at again after so long, then after twice as long, until rounds are as quick. */
const againFirstMs = 1000;

/** Decides when to survey. */
export class NodeWatch {
  readonly #context: NodeWatchContext;
  readonly #timers = new Set<Timer>();
  #hints: { close(): void } | null = null;
  #wanted: SurveyTrigger | null = null;
  #surveying = false;
  #fingerprint: string | null = null;
  #changedAtMs: number | null = null;
  #round: Timer | null = null;
  #roundTookMs = 0;
  #again: Timer | null = null;
  #againMs = againFirstMs;
  #stopped = false;

  constructor(context: NodeWatchContext) {
    this.#context = context;
  }

  /** Surveys once, then watches. */
  async start(): Promise<void> {
    const { host, timing } = this.#context.ports;
    this.#hints = host.changes(() => {
      this.#changed();
      this.want('hint');
    });
    await this.#run('start');
    this.#every(timing.pollMs, () => this.#guard(this.#poll()));
  }

  stop(): void {
    this.#stopped = true;
    this.#hints?.close();
    for (const timer of this.#timers) timer.clear();
  }

  /** Asks for a survey soon. */
  want(trigger: SurveyTrigger): void {
    if (this.#stopped) return;
    if (this.#wanted !== null) {
      // A round supposes that nothing has changed, which is not so any more.
      if (this.#wanted === 'round') this.#wanted = trigger;
      return;
    }
    this.#wanted = trigger;
    if (!this.#surveying) this.#schedule();
  }

  /**
   * Whether something could not be known. Nothing announces that it can be read now (a machine that was busy, a device
   * that was on its way), and until then its group is not offered: so it is looked at again soon.
   */
  doubts(something: boolean): void {
    if (!something) {
      this.#againMs = againFirstMs;
      return;
    }
    const { roundMs } = this.#context.ports.timing;
    if (this.#again !== null || this.#stopped || this.#againMs >= roundMs) return;
    this.#again = this.#after(this.#againMs, () => {
      this.#again = null;
      this.want('poll');
    });
    this.#againMs *= 2;
  }

  /** When the change was noticed that offers reflect now (monotonic ms), once; null when there was none. */
  takeChangedAtMs(): number | null {
    const atMs = this.#changedAtMs;
    this.#changedAtMs = null;
    return atMs;
  }

  #changed(): void {
    this.#changedAtMs ??= this.#context.ports.clock.monotonicMs();
  }

  #schedule(): void {
    this.#after(this.#context.ports.timing.hintDelayMs, () => {
      if (this.#wanted !== null) this.#guard(this.#run(this.#wanted));
    });
  }

  async #run(trigger: SurveyTrigger): Promise<void> {
    this.#surveying = true;
    this.#wanted = null;
    const { clock, host } = this.#context.ports;
    // What the next poll compares with is what this survey saw: a change that comes and goes between two polls
    // must not leave the survey's picture standing. What changed meanwhile counts as changed.
    const before = await host.fingerprint();
    // A round supposes that nothing shows: where something does, it is what the next poll would have found.
    const actual = trigger === 'round' && before !== this.#fingerprint ? 'poll' : trigger;
    const startedMs = clock.monotonicMs();
    await this.#context.survey(actual);
    if (actual === 'round') this.#roundTookMs = clock.monotonicMs() - startedMs;
    const after = await host.fingerprint();
    this.#fingerprint = before === after ? after : 'changed during the survey';
    this.#surveying = false;
    this.#nextRound();
    if (this.#wanted !== null && !this.#stopped) this.#schedule();
  }

  /** On a small node a round comes roundMs after the last survey; where rounds take long, their cost decides. */
  #nextRound(): void {
    const { roundMs, roundMaxMs, roundShare } = this.#context.ports.timing;
    const pauseMs = Math.min(Math.max(roundMs, this.#roundTookMs / roundShare), roundMaxMs);
    if (this.#round !== null) {
      this.#round.clear();
      this.#timers.delete(this.#round);
    }
    this.#round = this.#stopped ? null : this.#after(pauseMs, () => this.want('round'));
  }

  async #poll(): Promise<void> {
    if (this.#surveying) return;
    const fingerprint = await this.#context.ports.host.fingerprint();
    if (fingerprint === this.#fingerprint || this.#surveying || this.#stopped) return;
    this.#changed();
    this.want('poll');
  }

  #every(periodMs: number, run: () => void): void {
    this.#after(periodMs, () => {
      run();
      this.#every(periodMs, run);
    });
  }

  #after(delayMs: number, run: () => void): Timer {
    const timer = this.#context.ports.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.#stopped) run();
    });
    this.#timers.add(timer);
    return timer;
  }

  #guard(work: Promise<void>): void {
    work.catch((problem: unknown) => this.#context.onCrash(problem));
  }
}
