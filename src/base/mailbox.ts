// A bounded queue with one consumer: how everything reaches an actor, one message at a time.
import { assert } from './assert.ts';

/** Bounded first-in first-out queue. `post` never blocks: a full mailbox is told to the sender. */
export class Mailbox<Message> {
  readonly #limit: number;
  readonly #queue: Message[] = [];
  #waiting: ((message: Message | null) => void) | null = null;
  #closed = false;

  /** `limit`: messages that may wait, at least 1; bounds memory when an actor is slow. */
  constructor(limit: number) {
    assert(limit >= 1, 'a mailbox needs room for one message');
    this.#limit = limit;
  }

  /** Puts a message in; false when the mailbox is full or closed, and the message is not taken. */
  post(message: Message): boolean {
    if (this.#closed || this.#queue.length >= this.#limit) return false;
    if (this.#waiting !== null) {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting(message);
      return true;
    }
    this.#queue.push(message);
    return true;
  }

  /** The next message, or null once the mailbox is closed and empty. One caller at a time. */
  take(): Promise<Message | null> {
    assert(this.#waiting === null, 'a mailbox has one consumer');
    const message = this.#queue.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#closed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** No more messages are taken in; those that wait are still handed out. */
  close(): void {
    this.#closed = true;
    this.#waiting?.(null);
    this.#waiting = null;
  }

  /** Messages that wait now. */
  get length(): number {
    return this.#queue.length;
  }
}
