// The time of the machine. The only place in src that asks for it.
import type { Clock } from '../base/clock.ts';

/** setTimeout fires at once for longer delays than this (2^31 - 1 ms). */
const timeoutMsMax = 2_147_483_647;

/** Monotonic time from performance.now, wall time from Date.now, timers from setTimeout (they hold the process). */
export function realClock(): Clock {
  return {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    after: (delayMs, fire) => {
      // Whoever waits 24 days has waited long enough to be asked again.
      const timeout = setTimeout(fire, Math.min(Math.max(0, delayMs), timeoutMsMax));
      return { clear: () => clearTimeout(timeout) };
    },
  };
}
