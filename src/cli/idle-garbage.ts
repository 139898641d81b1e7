// What only the start needed goes back to the machine, and later what rounds leave behind.
import type { Clock, Timer } from '../base/clock.ts';

/** By then the node is read, the kubelet has its lists, and the start is over. */
const firstAfterMs = 20_000;
/** A collection stops the loop for some 30 ms: so seldom that nothing measures it. */
const everyMs = 300_000;

/**
 * Collects garbage when the start is over, and every five minutes. V8 does so by itself when the heap has grown, which that of
 * an idle agent hardly does: what the start left behind would stay resident as long as the agent runs (8 MB with 64
 * groups), and every round adds a megabyte. `collect` is V8's own function, there under `--expose-gc`; undefined does
 * nothing. Ends with `clear()`.
 */
export function collectWhenIdle(clock: Clock, collect: (() => void) | undefined): Timer {
  if (collect === undefined) return { clear: () => undefined };
  let next = clock.after(firstAfterMs, run);
  function run(): void {
    collect?.();
    next = clock.after(everyMs, run);
  }
  return { clear: () => next.clear() };
}
