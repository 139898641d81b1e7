// The open ListAndWatch streams of one server. Each gets the list at once and then only lists that differ
// from its last one; a stream that cannot take more gets the newest list when it can, never a backlog.
import type { ServerWritableStream } from '@grpc/grpc-js';
import { listDigest, type ListedDevice } from '../device-list.ts';
import type { Empty__Output } from '../gen/v1beta1/Empty.ts';
import type { ListAndWatchResponse } from '../gen/v1beta1/ListAndWatchResponse.ts';

/** A server-side ListAndWatch call. */
export type ListCall = ServerWritableStream<Empty__Output, ListAndWatchResponse>;

interface OpenStream {
  readonly call: ListCall;
  sent: string | null;
  full: boolean;
}

/** What the streams tell their owner. */
export interface ListStreamEvents {
  /** The number of open streams changed. */
  counted(count: number): void;
  /** A list was written. */
  sent(): void;
}

/** Open streams and what each of them has seen. */
export class ListStreams {
  readonly #current: () => readonly ListedDevice[];
  readonly #events: ListStreamEvents;
  readonly #open = new Set<OpenStream>();

  /** `current` gives the list as it is now. */
  constructor(current: () => readonly ListedDevice[], events: ListStreamEvents) {
    this.#current = current;
    this.#events = events;
  }

  /** Streams that are open now. */
  get count(): number {
    return this.#open.size;
  }

  /** Takes a call over: first message now, the rest as it changes, until either side ends it. */
  add(call: ListCall): void {
    const stream: OpenStream = { call, sent: null, full: false };
    this.#open.add(stream);
    const gone = (): void => {
      if (this.#open.delete(stream)) this.#events.counted(this.#open.size);
    };
    call.once('cancelled', gone);
    call.once('close', gone);
    call.once('error', gone);
    call.on('drain', () => {
      stream.full = false;
      this.#send(stream);
    });
    this.#events.counted(this.#open.size);
    this.#send(stream);
  }

  /** Sends the list as it is now to every stream that has not seen it. */
  push(): void {
    for (const stream of this.#open) this.#send(stream);
  }

  /** Ends every stream with an OK status, as a plugin does before it registers again. */
  endAll(): void {
    for (const stream of this.#open) stream.call.end();
    this.#open.clear();
    this.#events.counted(0);
  }

  #send(stream: OpenStream): void {
    if (stream.full) return;
    const devices = this.#current();
    const digest = listDigest(devices);
    if (digest === stream.sent) return;
    stream.sent = digest;
    stream.full = !stream.call.write({ devices: [...devices] });
    this.#events.sent();
  }
}
