// When to look at the node: on hints, when the cheap fingerprint differs, and in a slow round. Hints that come
// together share one survey, and never do two surveys run at a time.
import type { Timer } from '../base/clock.ts';
import {
  bothChanges,
  type Changes,
  changesBetween,
  type Fingerprint,
  isNone,
  noChanges,
} from '../pci/changes.ts';
import type { AgentPorts, SurveyTrigger } from './ports.ts';

/** What the watch is given. */
export interface NodeWatchContext {
  readonly ports: Pick<AgentPorts, 'clock' | 'timing'> & {
    readonly host: Pick<AgentPorts['host'], 'fingerprint' | 'changes'>;
  };
  /** Looks at the node, at least where something may have changed. */
  readonly survey: (trigger: SurveyTrigger, where: Changes) => Promise<void>;
  /** Whether a group is on its way to or from the host: most of what changes now is that group's own doing. */
  readonly working: () => boolean;
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
  /** What the last survey saw at least; null before the first. */
  #fingerprint: Fingerprint | null = null;
  /** Where the next survey has to look, whatever its fingerprint says. */
  #where: Changes = noChanges;
  /** Something changed during the last survey: its picture may be older than the fingerprint. */
  #unsettled = false;
  /** The survey that runs was made for what changed during the one before it. */
  #followsUp = false;
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
    this.#hints = host.changes((where) => {
      this.#changed();
      this.want('hint', where);
    });
    await this.#run('start');
    this.#every(timing.pollMs, () => this.#guard(this.#poll()));
  }

  stop(): void {
    this.#stopped = true;
    this.#hints?.close();
    for (const timer of this.#timers) timer.clear();
  }

  /** Asks for a survey soon: of the whole node, or at least of `where`. */
  want(trigger: SurveyTrigger, where: Changes = { kind: 'anything' }): void {
    if (this.#stopped) return;
    this.#where = bothChanges(this.#where, where);
    if (this.#wanted !== null) {
      if (this.#wanted !== 'round' && trigger !== 'round') return;
      // A round supposes that nothing has changed, which is not so any more; but it was to look at everything.
      if (this.#wanted === 'round') this.#wanted = trigger;
      this.#where = { kind: 'anything' };
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

  /** What a group's own steps change is looked at by the group itself: the look at the node can wait for all of them. */
  #delayMs(): number {
    const { hintDelayMs, workDelayMs } = this.#context.ports.timing;
    return this.#wanted !== 'policy' && this.#context.working() ? workDelayMs : hintDelayMs;
  }

  #schedule(): void {
    this.#after(this.#delayMs(), () => {
      if (this.#wanted !== null) this.#guard(this.#run(this.#wanted));
    });
  }

  async #run(trigger: SurveyTrigger): Promise<void> {
    this.#surveying = true;
    this.#wanted = null;
    const { clock, host, timing } = this.#context.ports;
    // What the next poll compares with is what this survey saw: a change that comes and goes between two polls
    // must not leave the survey's picture standing. What changed meanwhile counts as changed.
    const before = await host.fingerprint();
    const shown = bothChanges(this.#where, this.#since(before));
    this.#where = noChanges;
    // A round supposes that nothing shows: where something does, it is what the next poll would have found.
    const actual = trigger === 'round' && !isNone(shown) ? 'poll' : trigger;
    const where: Changes = trigger === actual ? shown : { kind: 'anything' };
    const startedMs = clock.monotonicMs();
    await this.#context.survey(actual, where);
    if (actual === 'round') this.#roundTookMs = clock.monotonicMs() - startedMs;
    // First what was found goes out. Hints about the same change come meanwhile: the next survey is for all of them.
    if (actual !== 'start') await this.#pause(timing.hintDelayMs);
    const after = await host.fingerprint();
    this.#fingerprint = after;
    const meanwhile = changesBetween(before, after);
    this.#unsettled = !isNone(meanwhile);
    this.#where = bothChanges(this.#where, meanwhile);
    this.#surveying = false;
    this.#followUp(meanwhile);
    // Looks at a few groups do not put off the round, which looks at all of them.
    if (actual === 'round' || where.kind === 'anything' || this.#round === null) this.#nextRound();
    if (this.#wanted === null) return;
    // It has waited already, unless it can wait longer.
    if (this.#delayMs() > timing.hintDelayMs) this.#schedule();
    else this.#guard(this.#run(this.#wanted));
  }

  /**
   * What changed during a survey and was announced before it has no hint to come: it is looked at now. Once in a row, so
   * that a node that changes all the time is looked at no more often than it is polled.
   */
  #followUp(meanwhile: Changes): void {
    const follows = !isNone(meanwhile) && !this.#followsUp;
    this.#followsUp = follows;
    if (!follows || this.#stopped) return;
    this.#changed();
    // A survey that a hint asked for meanwhile looks there too.
    this.#wanted ??= 'poll';
  }

  /** Where the node may be different from what the last survey saw. */
  #since(now: Fingerprint): Changes {
    return this.#fingerprint === null
      ? { kind: 'anything' }
      : changesBetween(this.#fingerprint, now);
  }

  /** On a small node a round comes roundMs after the last survey; where rounds take long, their cost decides. */
  #nextRound(): void {
    const { roundMs, roundMaxMs, roundShare } = this.#context.ports.timing;
    const pauseMs = Math.min(Math.max(roundMs, this.#roundTookMs / roundShare), roundMaxMs);
    if (this.#round !== null) {
      this.#round.clear();
      this.#timers.delete(this.#round);
    }
    this.#round = this.#stopped ? null : this.#after(pauseMs, () => this.want('round', noChanges));
  }

  async #poll(): Promise<void> {
    if (this.#surveying) return;
    const shown = this.#since(await this.#context.ports.host.fingerprint());
    if ((isNone(shown) && !this.#unsettled) || this.#surveying || this.#stopped) return;
    this.#changed();
    this.want('poll', shown);
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

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#after(delayMs, resolve));
  }

  #guard(work: Promise<void>): void {
    work.catch((problem: unknown) => this.#context.onCrash(problem));
  }
}
