// Limits how many calls are under way at once, so that a burst of changes is no burst of connections. Watches do
// not pass here: they stay open for minutes.

/** Calls under way at once. */
const callsMax = 8;

/** A gate that lets a few through at a time, in the order in which they came. */
export class CallGate {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  /** Runs `call` when there is room. */
  async pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#inside >= callsMax) await new Promise<void>((enter) => this.#waiting.push(enter));
    else this.#inside++;
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      // Who waits takes the place over: the number inside stays the same.
      if (next === undefined) this.#inside--;
      else next();
    }
  }
}
