// The own way into a guest: scripts that a shell inside runs, over its second serial line. It needs neither the guest's
// network nor Kubernetes, so it can judge both.

/** What a script came to; standard error is in the output. */
export interface Said {
  readonly status: number;
  readonly output: string;
}

interface Waiting {
  readonly resolve: (said: Said) => void;
  readonly reject: (why: Error) => void;
}

/** The host's end. */
export class Channel {
  readonly #write: (text: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #up = Promise.withResolvers<number>();
  #last = 0;
  #lost: Error | null = null;

  /** `write` says something on the standard input of the guest's job. */
  constructor(write: (text: string) => void) {
    this.#write = write;
    this.#up.promise.catch(() => undefined);
  }

  /** Resolves with the guest's own clock, in seconds since its kernel started, when it answers. */
  get up(): Promise<number> {
    return this.#up.promise;
  }

  /** A line that the guest has said. */
  hear(line: string): void {
    const [mark, number = '', status = '', output = '', end] = line.split(' ');
    if (mark === '@@UP') this.#up.resolve(Number(number));
    if (mark !== '@@ANSWER') return;
    // What did not come whole comes again.
    if (end !== '.') return;
    const waiting = this.#waiting.get(Number(number));
    this.#waiting.delete(Number(number));
    waiting?.resolve({
      status: Number(status),
      output: Buffer.from(output, 'base64').toString(),
    });
  }

  /** The guest has ended: nobody will answer any more. */
  lost(why: string): void {
    this.#lost = new Error(why);
    this.#up.reject(this.#lost);
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }

  /** Runs a script; what came of it. Rejects when the guest does not answer in time. */
  async run(script: string, limitMs: number): Promise<Said> {
    if (this.#lost !== null) throw this.#lost;
    const number = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Said>();
    this.#waiting.set(number, { resolve, reject });
    const late = setTimeout(() => {
      this.#waiting.delete(number);
      reject(new Error(`the guest has not answered within ${limitMs / 1000} s: ${script}`));
    }, limitMs);
    this.#write(`${number} ${Buffer.from(script).toString('base64')}\n`);
    return await promise.finally(() => clearTimeout(late));
  }

  /** Asks the guest to put its file systems in order and to power off. */
  stop(): void {
    this.#write('stop\n');
  }
}
