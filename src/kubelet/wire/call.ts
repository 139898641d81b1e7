// One unary call as a promise that always resolves, with a deadline of our own clock: the deadline of
// grpc-js is a wall-clock time, and wall clocks jump.
import { status, type ClientUnaryCall, type requestCallback } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';

/** What came of a call: the value, or the gRPC status. */
export type CallOutcome<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'failed'; readonly code: number; readonly details: string };

/** How long a call may take; null: no deadline, as the kubelet's Allocate. */
export type CallLimit = {
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Ends the wait early. */
  readonly signal?: AbortSignal;
} | null;

/** Runs `start` and waits for its callback. A late call is cancelled and fails with DEADLINE_EXCEEDED, an aborted one with CANCELLED. */
export function unaryCall<Value>(
  limit: CallLimit,
  start: (done: requestCallback<Value>) => ClientUnaryCall,
): Promise<CallOutcome<Value>> {
  return new Promise((resolve) => {
    const call = start((problem, value) => {
      timer?.clear();
      limit?.signal?.removeEventListener('abort', abort);
      if (problem !== null) {
        resolve({ kind: 'failed', code: problem.code, details: problem.details });
      } else if (value === undefined) {
        resolve({ kind: 'failed', code: status.INTERNAL, details: 'an answer without a message' });
      } else {
        resolve({ kind: 'ok', value });
      }
    });
    const abort = (): void => call.cancel();
    limit?.signal?.addEventListener('abort', abort, { once: true });
    const timer = limit?.clock.after(limit.deadlineMs, () => {
      const details = `no answer within ${limit.deadlineMs} ms`;
      resolve({ kind: 'failed', code: status.DEADLINE_EXCEEDED, details });
      call.cancel();
    });
  });
}

/** `FAILED_PRECONDITION: text`, for logs and messages. */
export function outcomeText(outcome: { readonly code: number; readonly details: string }): string {
  return `${status[outcome.code] ?? outcome.code}: ${outcome.details}`;
}
