// A clock that moves only when told to: for the kernel model, the simulation and tests.
import { assert } from './assert.ts';
import type { Clock, Timer } from './clock.ts';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Virtual time. Timers fire in order of their time, then of their setting. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #wallOffsetMs: number;
  readonly #pending = new Set<Pending>();

  constructor(wallStartMs = 1_767_225_600_000) {
    this.#wallOffsetMs = wallStartMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  /** Moves wall time without moving monotonic time: what an NTP step or a person does. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  after(delayMs: number, fire: () => void): Timer {
    assert(delayMs >= 0, `a timer ${delayMs} ms in the past`);
    const entry: Pending = { atMs: this.#nowMs + delayMs, order: this.#order++, fire };
    this.#pending.add(entry);
    return { clear: () => void this.#pending.delete(entry) };
  }

  /** When the next timer is due (monotonic milliseconds), or null when none is set. */
  nextAtMs(): number | null {
    return this.#next()?.atMs ?? null;
  }

  /** Moves to the next timer due at or before `limitMs` and fires it; false when there is none. */
  fireNext(limitMs = Number.POSITIVE_INFINITY): boolean {
    const next = this.#next();
    if (next === undefined || next.atMs > limitMs) return false;
    this.#pending.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.fire();
    return true;
  }

  /** Moves time forward without firing anything; refuses to pass a timer that is due before. */
  moveTo(nowMs: number): void {
    const next = this.#next();
    assert(next === undefined || next.atMs >= nowMs, 'time cannot pass a timer that is due');
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (first === undefined || entry.atMs < first.atMs) first = entry;
      else if (entry.atMs === first.atMs && entry.order < first.order) first = entry;
    }
    return first;
  }
}

/**
 * Advances `clock` by `byMs`, letting every promise chain settle between timers. `drain` must resolve
 * only after all microtasks ran (setImmediate in Node, passed in because this room has no Node API).
 */
export async function advance(
  clock: VirtualClock,
  byMs: number,
  drain: () => Promise<void>,
): Promise<void> {
  const untilMs = clock.monotonicMs() + byMs;
  await drain();
  while (clock.fireNext(untilMs)) await drain();
  clock.moveTo(untilMs);
}
