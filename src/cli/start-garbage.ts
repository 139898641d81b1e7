// What only the start needed goes back to the machine.
import type { Clock, Timer } from '../base/clock.ts';

/** By then the node is read, the kubelet has its lists, and what came of it is old enough to be in the old generation. */
const settledAfterMs = 20_000;

/**
 * Collects garbage once, when the start is over: V8 does so by itself when the heap has grown, which that of an idle agent
 * never does, and what the start left behind would stay resident as long as the agent runs (8 MB with 64 groups). `collect`
 * is V8's own function, there under `--expose-gc` (node.h: `gc()`); undefined does nothing.
 */
export function collectStartGarbage(clock: Clock, collect: (() => void) | undefined): Timer | null {
  return collect === undefined ? null : clock.after(settledAfterMs, collect);
}
