// The bytes between the agent and a lane: a request frame is a batch of calls, each answer is a frame of its
// own, in the order of the calls. Both ends are of one version, so there is no negotiation.
import { assert } from '../../base/assert.ts';
import type { Settled } from '../fs.ts';
import type { Answer, Call } from './syscalls.ts';

const headBytes = 5;
const kinds = { bytes: 0, json: 1, errno: 2, hello: 3, declined: 4 } as const;

/**
 * A lane that was not heard of for longer, milliseconds, declines the rest of its batch: by then the agent may have
 * given that rest to others, and made again for nobody it could block once more. Below LaneLimits.stallMs.
 */
export const batchPatienceMs = 30;

/**
 * The same for a lane that takes so long to come up. Below the pool's patience with a lane that starts, which is long:
 * on a machine without a free core Node takes seconds, and one more that starts beside it would double them.
 */
export const startPatienceMs = 10_000;

/** What a lane says: that it is up, the answer to its oldest unanswered call, or that it will not make that call. */
export type LaneMessage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'declined' }
  | { readonly kind: 'answer'; readonly settled: Settled<Answer> };

function frame(kind: number, payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(headBytes + payload.length);
  out.writeUInt32LE(payload.length, 0);
  out.writeUInt8(kind, 4);
  out.set(payload, headBytes);
  return out;
}

/** Calls to make one after the other. */
export interface Batch {
  /** When the agent gave them, by machineMs. */
  readonly givenMs: number;
  readonly calls: readonly Call[];
}

/**
 * Milliseconds of CLOCK_MONOTONIC, which is the same in every process of a machine (uv_hrtime): what a lane and
 * the agent tell each other. No clock that is handed in could serve two processes.
 */
export function machineMs(): number {
  // oxlint-disable-next-line no-restricted-properties, no-restricted-globals -- as said above
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A batch of calls as bytes. */
export function encodeBatch(batch: Batch): Buffer {
  return frame(kinds.json, Buffer.from(JSON.stringify(batch)));
}

/** The batch inside one frame made by encodeBatch. */
export function decodeBatch(payload: Uint8Array): Batch {
  return JSON.parse(Buffer.from(payload).toString('utf8')) as Batch;
}

/** A lane's message as bytes. */
export function encodeMessage(message: LaneMessage): Buffer {
  if (message.kind !== 'answer') return frame(kinds[message.kind], new Uint8Array());
  const { settled } = message;
  if (settled.kind === 'errno') return frame(kinds.errno, Buffer.from(settled.errno));
  if (settled.value instanceof Uint8Array) return frame(kinds.bytes, settled.value);
  return frame(kinds.json, Buffer.from(JSON.stringify(settled.value)));
}

function decodeMessage(kind: number, payload: Buffer): LaneMessage {
  switch (kind) {
    case kinds.hello:
      return { kind: 'hello' };
    case kinds.declined:
      return { kind: 'declined' };
    case kinds.errno:
      return { kind: 'answer', settled: { kind: 'errno', errno: payload.toString('latin1') } };
    case kinds.bytes:
      // A copy: the payload is a view into a larger chunk that would be kept alive.
      return { kind: 'answer', settled: { kind: 'value', value: new Uint8Array(payload) } };
    default: {
      const value = JSON.parse(payload.toString('utf8')) as Answer;
      return { kind: 'answer', settled: { kind: 'value', value } };
    }
  }
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The complete frames in what has arrived so far, oldest first. */
  push(chunk: Uint8Array): { readonly kind: number; readonly payload: Buffer }[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const found = [];
    let at = 0;
    while (this.#rest.length - at >= headBytes) {
      const length = this.#rest.readUInt32LE(at);
      if (this.#rest.length - at - headBytes < length) break;
      const start = at + headBytes;
      found.push({
        kind: this.#rest.readUInt8(at + 4),
        payload: this.#rest.subarray(start, start + length),
      });
      at = start + length;
    }
    this.#rest = this.#rest.subarray(at);
    return found;
  }

  /** The complete messages of a lane in what has arrived so far. */
  messages(chunk: Uint8Array): LaneMessage[] {
    return this.push(chunk).map(({ kind, payload }) => decodeMessage(kind, payload));
  }

  /** True when nothing half-received is left. */
  get empty(): boolean {
    return this.#rest.length === 0;
  }
}

/** Asserts what a lane is never asked for: a write has data (a zero-length write never reaches sysfs). */
export function assertCall(call: Call): void {
  assert(
    call.kind !== 'write' || call.data.length > 0,
    `a zero-length write to ${call.path} would do nothing`,
  );
}
