// Waiting inside a guest, which is an order of magnitude slower than the machine it runs on.
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;
/** Another process is asked more seldom: the guest has one processor, and whoever is waited for needs it. */
const pollOtherMs = 300;
const limitMs = 180_000;

/** Asks until the answer is neither false nor null nor undefined; throws with `what` after a while. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  withinMs = limitMs,
): Promise<NonNullable<T>> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const asked = ask();
    const answer = await asked;
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (performance.now() > endMs) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`);
    await sleep(asked instanceof Promise ? pollOtherMs : pollMs);
  }
}

/** Throws with `what` unless it holds. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
