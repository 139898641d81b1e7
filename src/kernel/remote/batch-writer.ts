// Writes messages to a stream in batches: what is said until all that can go on has gone on is one message, and
// nothing more is written while the other side does not take it.
import { batchCharsMax, batchEntriesMax } from './protocol.ts';

/** The part of a gRPC stream that writing needs. */
export interface BatchStream {
  write(batch: unknown): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** What becomes of backpressure. */
export interface BatchFlow {
  /** The stream is full: called once each time; `onRoom` follows. */
  onFull?(): void;
  onRoom?(): void;
}

/** A queue in front of one stream. */
export class BatchWriter<Message> {
  readonly #stream: BatchStream;
  readonly #flow: BatchFlow;
  readonly #sizeOf: (message: Message) => number;
  #queue: Message[] = [];
  #scheduled = false;
  #full = false;
  #closed = false;

  constructor(stream: BatchStream, sizeOf: (message: Message) => number, flow: BatchFlow = {}) {
    this.#stream = stream;
    this.#sizeOf = sizeOf;
    this.#flow = flow;
  }

  /** Says something; after `close`, nothing happens. */
  post(message: Message): void {
    if (this.#closed) return;
    this.#queue.push(message);
    if (this.#scheduled || this.#full) return;
    this.#scheduled = true;
    process.nextTick(() => this.#flush());
  }

  /** Forgets what was not written. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
  }

  #flush(): void {
    this.#scheduled = false;
    let at = 0;
    while (at < this.#queue.length && !this.#full && !this.#closed) {
      const from = at;
      let chars = 0;
      while (at < this.#queue.length && at - from < batchEntriesMax && chars < batchCharsMax) {
        chars += this.#sizeOf(this.#queue[at] as Message);
        at += 1;
      }
      if (!this.#stream.write(this.#queue.slice(from, at))) this.#wait();
    }
    this.#queue = this.#queue.slice(at);
  }

  #wait(): void {
    this.#full = true;
    this.#flow.onFull?.();
    this.#stream.once('drain', () => {
      this.#full = false;
      this.#flow.onRoom?.();
      this.#flush();
    });
  }
}
