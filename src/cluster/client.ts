// Calls of the Kubernetes API on raw JSON objects: read, list by pages, write, apply, watch. Answers and problems
// are data. A call that the server asked to repeat later (Retry-After) is repeated a few times; nothing else is:
// who calls knows better when it is worth it.
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { fail, ok } from '../base/result.ts';
import type { ClusterAccess } from './access/access.ts';
import { collectBody } from './http/body.ts';
import { CallGate } from './http/gate.ts';
import {
  type HttpRequest,
  type OpenAnswer,
  Transport,
  type WholeAnswer,
} from './http/transport.ts';
import { type ApiVerb, type ClusterMetrics, outcomeOf } from './metrics.ts';
import {
  type KubeObject,
  type ObjectRef,
  type Resource,
  resourcePath,
  type ResourcePlace,
} from './objects.ts';
import { type ApiProblem, type ApiResult, problemOf, statusBody, unreachable } from './problem.ts';
import {
  isPage,
  type ListOptions,
  listQuery,
  type Page,
  type WatchOptions,
  watchQuery,
} from './query.ts';
import { readWatch, type WatchEnd, type WatchEvent } from './watch.ts';

/** What a client depends on. */
export interface ApiClientOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: ClusterMetrics;
  /** Sent with every request, for the server's audit log: `wholegroup-agent/0.1.0 (linux/amd64)`. */
  readonly userAgent: string;
}

/** How one call is made. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** For the whole answer, default 10 s; of a page of a list for each piece of it, default 20 s. */
  readonly timeoutMs?: number;
  /** Does not wait until others have ended: for what has a deadline of its own. */
  readonly urgent?: boolean;
}

/** A server-side apply: `body` holds exactly the fields that `fieldManager` wants to own. */
export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  readonly subresource?: 'status';
  /** Takes fields from other managers instead of failing with a conflict. */
  readonly force?: boolean;
}

/** A delete that only hits the object that was meant. */
export interface RemoveOptions extends CallOptions {
  readonly uid?: string;
}

const callMs = 10_000;
/** A server with much to do takes seconds before the first byte of a page; a dead one takes for ever. */
const pieceMs = 20_000;
/** A call is made at most this often when the server asks to come back later. */
const attemptsMax = 3;
/** A longer Retry-After is left to the caller. */
const retryAfterMsMax = 5000;

interface Call {
  readonly verb: ApiVerb;
  readonly request: HttpRequest;
}

/** The API of one cluster. Close it when it is not needed any more. */
export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #transport: Transport;
  readonly #gate = new CallGate();

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options);
  }

  /** Namespace of this pod, or of the chosen context. */
  get namespace(): string {
    return this.#options.access.namespace;
  }

  /** Address of the API server. */
  get server(): string {
    return this.#options.access.server;
  }

  /** One object. */
  get<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    options: CallOptions = {},
  ): Promise<ApiResult<T>> {
    return this.#call('get', 'GET', resourcePath(resource, ref), options);
  }

  /** One page of a list: up to `limit` objects, and where to go on. */
  async list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions & CallOptions = {},
  ): Promise<ApiResult<Page<T>>> {
    const path = `${resourcePath(resource, { namespace: options.namespace })}${listQuery(options)}`;
    const call = { timeoutMs: pieceMs, ...options };
    const page = await this.#call<Page<T>>('list', 'GET', path, call);
    return page.ok && !isPage(page.value) ? fail(unreachable('an answer that is no list')) : page;
  }

  /** Creates an object. */
  create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options: CallOptions = {},
  ): Promise<ApiResult<T>> {
    const path = resourcePath(resource, { namespace: object.metadata.namespace });
    return this.#call('create', 'POST', path, options, { body: JSON.stringify(object) });
  }

  /** Replaces an object; its resourceVersion must still be the server's. */
  replace<T extends KubeObject>(
    resource: Resource,
    object: T,
    options: CallOptions = {},
  ): Promise<ApiResult<T>> {
    const path = resourcePath(resource, placeOf(object.metadata));
    return this.#call('update', 'PUT', path, options, { body: JSON.stringify(object) });
  }

  /** Server-side apply. Creates the object when it is not there, but never through a subresource. */
  apply(
    resource: Resource,
    body: KubeObject,
    options: ApplyOptions,
  ): Promise<ApiResult<KubeObject>> {
    const { subresource, fieldManager, force } = options;
    const query = new URLSearchParams({ fieldManager, force: String(force ?? true) });
    const place = placeOf(body.metadata);
    const path = resourcePath(
      resource,
      subresource === undefined ? place : { ...place, subresource },
    );
    return this.#call('patch', 'PATCH', `${path}?${query.toString()}`, options, {
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify(body),
    });
  }

  /** JSON merge patch: fields of `patch` replace those of the object, null removes them. */
  patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: object,
    options: CallOptions = {},
  ): Promise<ApiResult<T>> {
    return this.#call('patch', 'PATCH', resourcePath(resource, ref), options, {
      contentType: 'application/merge-patch+json',
      body: JSON.stringify(patch),
    });
  }

  /** Deletes an object; with `uid` only that very one (`conflict` when another has its name now). */
  async remove(
    resource: Resource,
    ref: ObjectRef,
    options: RemoveOptions = {},
  ): Promise<ApiResult<null>> {
    const { uid } = options;
    const body = JSON.stringify(uid === undefined ? {} : { preconditions: { uid } });
    const path = resourcePath(resource, ref);
    const answer = await this.#call('delete', 'DELETE', path, options, { body });
    return answer.ok ? ok(null) : answer;
  }

  /**
   * Watches from a resource version and calls `onEvent` for everything that comes, until the stream is over or
   * `onEvent` returns false. Never rejects; says why it is over.
   */
  async watch(
    resource: Resource,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => boolean,
  ): Promise<WatchEnd> {
    const { namespace, idleMs, signal } = options;
    const path = `${resourcePath(resource, { namespace })}${watchQuery(options)}`;
    const request: HttpRequest = { method: 'GET', path, timeoutMs: callMs, signal };
    const opened = await this.#open({ verb: 'watch', request });
    if (!opened.ok) return { kind: 'problem', problem: opened.problem };
    onEvent({ kind: 'opened' });
    const wait = { clock: this.#options.clock, deadlineMs: idleMs, signal };
    return readWatch(opened.value.body, wait, onEvent);
  }

  /** Ends connections that wait for a request. Running watches end with their signals. */
  close(): void {
    this.#transport.close();
  }

  async #call<T>(
    verb: ApiVerb,
    method: HttpRequest['method'],
    ...[path, options, content]: [string, CallOptions, { body: string; contentType?: string }?]
  ): Promise<ApiResult<T>> {
    const { signal, timeoutMs = callMs, urgent = false } = options;
    if (signal?.aborted === true) return fail({ kind: 'aborted' });
    const byPieces = verb === 'list';
    const call: Call = { verb, request: { method, path, signal, timeoutMs, byPieces, ...content } };
    const { clock, random } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const once = (): Promise<ApiResult<WholeAnswer>> => this.#once(call);
      const answer = urgent ? await once() : await this.#gate.pass(once, signal);
      if (answer === null) return fail({ kind: 'aborted' });
      if (answer.ok) return parsed(answer.value.text);
      const waitMs = repeatAfterMs(answer.problem);
      if (attempt >= attemptsMax || waitMs === null) return answer;
      // Spread, so that all who were told the same do not come back at the same moment.
      if (!(await sleep(clock, waitMs + random.next() * waitMs * 0.2, signal))) {
        return fail({ kind: 'aborted' });
      }
    }
  }

  async #once(call: Call): Promise<ApiResult<WholeAnswer>> {
    const send = (): Promise<ApiResult<WholeAnswer>> => this.#transport.send(call.request);
    return this.#judged(call, send, (answer) => Promise.resolve(answer.text));
  }

  #open(call: Call): Promise<ApiResult<OpenAnswer>> {
    const { clock } = this.#options;
    const { signal } = call.request;
    return this.#judged(
      call,
      () => this.#transport.open(call.request),
      async ({ body }) => {
        const text = await collectBody(body, { clock, deadlineMs: callMs, signal });
        return text.ok ? text.value : '';
      },
    );
  }

  /** Turns refusals into problems. One that is about credentials is tried once more with fresh ones. */
  async #judged<
    Answer extends { readonly status: number; readonly retryAfter: string | undefined },
  >(
    call: Call,
    send: () => Promise<ApiResult<Answer>>,
    textOf: (answer: Answer) => Promise<string>,
  ): Promise<ApiResult<Answer>> {
    for (let fresh = false; ; fresh = true) {
      const startedMs = this.#options.clock.monotonicMs();
      const answer = await send();
      this.#count(call.verb, answer.ok ? answer.value.status : 0, startedMs);
      if (!answer.ok) return answer;
      const { status, retryAfter } = answer.value;
      if (status < 300) return answer;
      const body = statusBody(await textOf(answer.value));
      if (status !== 401 || fresh) return fail(problemOf({ status, retryAfter, body }));
      this.#options.access.refused();
    }
  }

  #count(verb: ApiVerb, status: number, startedMs: number): void {
    const seconds = (this.#options.clock.monotonicMs() - startedMs) / 1000;
    this.#options.metrics.requested(verb, outcomeOf(status), seconds);
  }
}

function placeOf({ namespace, name }: ObjectRef): ResourcePlace {
  return namespace === undefined ? { name } : { namespace, name };
}

/** How long the server asked to wait before the same call is made again; null when it is not to be made again. */
function repeatAfterMs(problem: ApiProblem): number | null {
  if (problem.kind !== 'tooMany' && problem.kind !== 'unavailable') return null;
  const { retryAfterMs } = problem;
  return retryAfterMs !== null && retryAfterMs <= retryAfterMsMax ? retryAfterMs : null;
}

function parsed<T>(text: string): ApiResult<T> {
  try {
    return ok(JSON.parse(text) as T);
  } catch (thrown) {
    return fail(unreachable(`an answer that is not JSON: ${errorText(thrown)}`));
  }
}
