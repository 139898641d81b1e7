// Time as a parameter. Real time lives in observe/, virtual time in VirtualClock (tests, simulation,
// the kernel model); nothing else may ask the machine what time it is.

/** A timer that was set; clearing twice is harmless. */
export interface Timer {
  clear(): void;
}

/** The time, and a way to be called later. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch; may jump either way. For people and for objects, never for deadlines. */
  wallMs(): number;
  /** Calls `fire` once, `delayMs` from now (0 or more; never synchronously). */
  after(delayMs: number, fire: () => void): Timer;
}

/** Resolves after `delayMs`, or at once (with false) when `signal` is or becomes aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve(false);
      return;
    }
    const abort = (): void => {
      timer.clear();
      resolve(false);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve(true);
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** What came of waiting for a promise under a deadline. */
export type Deadlined<T> =
  | { readonly kind: 'settled'; readonly value: T }
  | { readonly kind: 'late'; readonly settles: Promise<T> };

/** Waits for `work` at most `deadlineMs`; the work itself goes on, and its late answer stays available. */
export function withDeadline<T>(
  clock: Clock,
  deadlineMs: number,
  work: Promise<T>,
): Promise<Deadlined<T>> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(deadlineMs, () => resolve({ kind: 'late', settles: work }));
    work.then(
      (value) => {
        timer.clear();
        resolve({ kind: 'settled', value });
      },
      (problem: unknown) => {
        timer.clear();
        reject(problem instanceof Error ? problem : new Error(String(problem)));
      },
    );
  });
}
