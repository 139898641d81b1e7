// What can come of a call of the API other than its answer, as data. Made from the HTTP status and the Status
// object in the body, or from the connection that failed; a caller decides by `kind` and never by a text.
import type { Result } from '../base/result.ts';

/** One field that the server refuses. */
export interface InvalidField {
  /** Path of the field, "" when the object as a whole is meant. */
  readonly field: string;
  readonly message: string;
}

/** Why there is no answer. `message` is the server's own word, or what happened to the connection. */
export type ApiProblem =
  /** The object has changed since it was read, or a field has another manager. */
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'alreadyExists'; readonly message: string }
  | { readonly kind: 'notFound'; readonly message: string }
  /** The server does not know who asks, or there are no credentials to show. */
  | { readonly kind: 'unauthorized'; readonly message: string }
  | { readonly kind: 'forbidden'; readonly message: string }
  /** The resource version or continue token is not kept any more: list again. */
  | { readonly kind: 'gone'; readonly message: string }
  | { readonly kind: 'tooMany'; readonly message: string; readonly retryAfterMs: number | null }
  /** No connection, no answer in time, or a server that cannot serve now. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfterMs: number | null }
  | {
      readonly kind: 'invalid';
      readonly message: string;
      readonly reasons: readonly InvalidField[];
    }
  /** Any other 4xx: this client and the server do not understand each other. */
  | { readonly kind: 'refused'; readonly message: string; readonly status: number }
  /** The caller's own signal ended it. */
  | { readonly kind: 'aborted' };

/** An answer, or why there is none. */
export type ApiResult<Value> = Result<Value, ApiProblem>;

interface StatusCause {
  readonly field?: string;
  readonly message?: string;
  readonly reason?: string;
}

/** A Status object as far as it is read; every field may be missing, proxies answer with anything. */
export interface StatusBody {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly StatusCause[];
  };
}

/** A refusal as it came off the wire. */
export interface Refusal {
  readonly status: number;
  readonly retryAfter?: string | undefined;
  readonly body: StatusBody;
}

/** A body that is a Status, or what a proxy said instead. */
export function statusBody(text: string): StatusBody {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Not JSON: the text itself is the message.
  }
  return { message: text.trim().slice(0, 500) };
}

/** Retry-After in seconds (the API server sends no dates), or the one in the Status. */
function retryAfterMs({ retryAfter, body }: Refusal): number | null {
  const seconds = Number(retryAfter ?? body.details?.retryAfterSeconds ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3600) * 1000 : null;
}

/** A version from the future: the server's data was put back. What is known here is worth nothing any more. */
function isVersionFromTheFuture(body: StatusBody): boolean {
  return (
    body.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') === true ||
    /too large resource version/i.test(body.message ?? '')
  );
}

/** The problem that a refusal means. */
export function problemOf(refusal: Refusal): ApiProblem {
  const { status, body } = refusal;
  const message = body.message || body.reason || `HTTP status ${status}`;
  if (isVersionFromTheFuture(body)) return { kind: 'gone', message };
  switch (status) {
    case 401:
      return { kind: 'unauthorized', message };
    case 403:
      return { kind: 'forbidden', message };
    case 404:
      return { kind: 'notFound', message };
    case 409:
      return { kind: body.reason === 'AlreadyExists' ? 'alreadyExists' : 'conflict', message };
    case 410:
      return { kind: 'gone', message };
    case 422:
      return { kind: 'invalid', message, reasons: invalidFields(body) };
    case 429:
      return { kind: 'tooMany', message, retryAfterMs: retryAfterMs(refusal) };
    default:
      return status >= 500
        ? { kind: 'unavailable', message, retryAfterMs: retryAfterMs(refusal) }
        : { kind: 'refused', message, status };
  }
}

function invalidFields(body: StatusBody): readonly InvalidField[] {
  return (body.details?.causes ?? []).map(({ field = '', message = '' }) => ({ field, message }));
}

/** The problem of a connection that failed, or of an answer that did not come. */
export function unreachable(message: string): ApiProblem {
  return { kind: 'unavailable', message, retryAfterMs: null };
}

/** A problem in words, for logs and people. */
export function problemText(problem: ApiProblem): string {
  return problem.kind === 'aborted' ? 'aborted' : problem.message;
}

/** How long the server asked to be left alone; 0 when it did not. */
export function askedToWaitMs(problem: ApiProblem): number {
  return problem.kind === 'tooMany' || problem.kind === 'unavailable'
    ? (problem.retryAfterMs ?? 0)
    : 0;
}
