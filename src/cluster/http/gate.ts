// Limits how many calls are under way at once, so that a burst of changes is no burst of connections. Watches do
// not pass here: they stay open for minutes; nor does what must not wait for others.

/** Calls under way at once. */
const callsMax = 8;

/** A gate that lets a few through at a time, in the order in which they came. */
export class CallGate {
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  /** Runs `call` when there is room; null when the signal fired before. */
  async pass<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T | null> {
    if (this.#inside < callsMax) this.#inside++;
    else if (!(await this.#room(signal))) return null;
    try {
      return await call();
    } finally {
      this.#leave();
    }
  }

  /** Waits for a place; true when it was handed over, so that the number inside stays the same. */
  #room(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const give = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve(true);
      };
      const abort = (): void => {
        this.#waiting.delete(give);
        resolve(false);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(give);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inside--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
