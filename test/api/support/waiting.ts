// Waiting for what a program does in its own time: the one loop of these tests.
import assert from 'node:assert/strict';

/** How long, and when there is no point in it any more. */
export interface Patience {
  /** Default 20 seconds. */
  readonly limitMs?: number;
  /** Why there will never be an answer; null: there may be. */
  readonly hopeless?: () => string | null;
}

/** Asks until there is an answer (neither null nor a throw); fails with `what` after a while. */
export async function answer<T>(
  what: string,
  ask: () => Promise<T | null> | T | null,
  { limitMs = 20_000, hopeless = () => null }: Patience = {},
): Promise<T> {
  const startedMs = performance.now();
  let last: unknown;
  for (;;) {
    const why = hopeless();
    if (why !== null) assert.fail(`${what}: ${why}`);
    try {
      const found = await ask();
      if (found !== null) return found;
    } catch (thrown) {
      last = thrown;
    }
    if (performance.now() - startedMs > limitMs)
      throw new Error(`${what}: not within ${limitMs / 1000} s`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Asks until it is so. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  patience: Patience = {},
): Promise<void> {
  await answer(what, async () => ((await holds()) ? true : null), patience);
}
