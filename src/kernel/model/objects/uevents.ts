// The uevent netlink multicast (lib/kobject_uevent.c): numbered events, and bounded queues of those who
// listen. A queue that overflows loses events and says so (ENOBUFS), nothing more.
import { assert } from '../../../base/assert.ts';

/** One event. */
export interface Uevent {
  readonly sequence: number;
  readonly action: string;
  /** `/devices/…` */
  readonly devpath: string;
  /** Environment in order, from SUBSYSTEM on; ACTION, DEVPATH and SEQNUM are the fields above. */
  readonly env: readonly (readonly [key: string, value: string])[];
}

/** A netlink socket of the multicast group. */
export interface UeventQueue {
  /** Takes all that wait. */
  take(): Uevent[];
  /** Whether events were lost since the last question. */
  overflowed(): boolean;
  close(): void;
}

interface Queue {
  readonly limit: number;
  waiting: Uevent[];
  lost: boolean;
  readonly wake: (() => void) | null;
}

/** What becomes of an event on its way to the listeners: normally itself. */
export type UeventFilter = (event: Uevent) => readonly Uevent[];

/** The multicast group. */
export class UeventBus {
  #sequence = 0;
  readonly #queues = new Set<Queue>();
  #filter: UeventFilter | null = null;

  /** Sends an event. */
  emit(action: string, devpath: string, env: readonly (readonly [string, string])[]): void {
    const event: Uevent = { sequence: ++this.#sequence, action, devpath, env };
    if (this.#queues.size === 0) return;
    for (const delivered of this.#filter?.(event) ?? [event]) this.deliver(delivered);
  }

  /** Puts an event into the queues, past the filter. */
  deliver(event: Uevent): void {
    for (const queue of this.#queues) {
      if (queue.waiting.length >= queue.limit) queue.lost = true;
      else queue.waiting.push(event);
      queue.wake?.();
    }
  }

  /** Puts something between the sender and the queues (faults); null: nothing. */
  setFilter(filter: UeventFilter | null): void {
    this.#filter = filter;
  }

  /** A queue for at most `limit` events; `wake` is called on every event (also a lost one). */
  subscribe(limit: number, wake: (() => void) | null = null): UeventQueue {
    assert(limit > 0, 'a queue needs room for one event');
    const queue: Queue = { limit, waiting: [], lost: false, wake };
    this.#queues.add(queue);
    return {
      take: () => {
        const taken = queue.waiting;
        queue.waiting = [];
        return taken;
      },
      overflowed: () => {
        const lost = queue.lost;
        queue.lost = false;
        return lost;
      },
      close: () => void this.#queues.delete(queue),
    };
  }

  /** Number of the last event. */
  get sequence(): number {
    return this.#sequence;
  }
}
