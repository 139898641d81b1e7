// What a request is answered with, independent of gRPC: a value, or a status with one sentence for the
// pod's events. The in-process stand-in and the gRPC server both speak it.
import { errorText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { RefusalReason } from './door.ts';

/** Numbers of the gRPC status codes that we answer with (google/rpc/code.proto). */
export const statusCodes = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  FAILED_PRECONDITION: 9,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/** One of them, by name. */
export type StatusName = keyof typeof statusCodes;

/** Answer to one request. */
export type Reply<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'refused'; readonly status: StatusName; readonly message: string };

/** A good answer. */
export function replyOk<Value>(value: Value): Reply<Value> {
  return { kind: 'ok', value };
}

/** A refusal; `message` is reason and remedy in one sentence. */
export function replyRefused(status: StatusName, message: string): Reply<never> {
  return { kind: 'refused', status, message };
}

/** Which status each refusal of the agent becomes. */
export const statusOfRefusal: Readonly<Record<RefusalReason, StatusName>> = {
  InvalidRequest: 'INVALID_ARGUMENT',
  UnknownDevice: 'NOT_FOUND',
  AlreadyLeased: 'FAILED_PRECONDITION',
  NotReleasable: 'FAILED_PRECONDITION',
  // What may be different a moment later is UNAVAILABLE: the kubelet starts the container again by itself.
  NotClaimed: 'UNAVAILABLE',
  RecordFailed: 'UNAVAILABLE',
  StaleAnswer: 'FAILED_PRECONDITION',
  ShuttingDown: 'UNAVAILABLE',
};

/**
 * Runs one request so that it always has an answer. grpc-js loses the text of a handler that throws and
 * never completes the call of one whose promise rejects; the kubelet waits for Allocate without a
 * deadline, so such a call would stop every admission on the node. Never throws, never rejects.
 */
export async function answered<Value>(
  log: Log,
  rpc: string,
  work: () => Promise<Reply<Value>> | Reply<Value>,
): Promise<Reply<Value>> {
  try {
    return await work();
  } catch (thrown) {
    log.error('kubelet-handler-threw', { rpc, problem: errorText(thrown), thrown });
    return replyRefused(
      'INTERNAL',
      `wholegroup failed inside ${rpc}: ${errorText(thrown)}; this is a bug, please report it with the agent's log`,
    );
  }
}
