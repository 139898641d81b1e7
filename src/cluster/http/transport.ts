// HTTP to the API server over one pool of kept connections. Every wait has a deadline, connections are tested by
// TCP keep-alive, and a change of certificates makes a new pool while the old one finishes. Never throws: what
// fails is a problem. It retries nothing except a request that met a connection the server had already closed.
import {
  Agent as PlainAgent,
  request as plainRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Clock, Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { fail, ok } from '../../base/result.ts';
import type { ClusterAccess, Credentials, TlsMaterial } from '../access/access.ts';
import { type ApiResult, unreachable } from '../problem.ts';
import { collectBody } from './body.ts';

/** One HTTP request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  /** Until the headers (a stream) or the whole answer (everything else) must be there. */
  readonly timeoutMs: number;
  /** For large answers: the headers, and then each further piece, have timeoutMs of their own. */
  readonly byPieces?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose headers have come; the body is still to be read, or to be destroyed. */
export interface OpenAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: IncomingMessage;
}

/** A whole answer. */
export interface WholeAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/** What the transport depends on. */
export interface TransportOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly userAgent: string;
}

type Agent = PlainAgent | TlsAgent;

/** Linux probes once a second after this and gives up after ten: a dead peer is known after 25 s. */
const keepAliveProbeMs = 15_000;
/** Connections that wait for their next request; more than this are a burst that is over. */
const idleConnectionsMax = 8;
/** How often one request may meet a connection that the server had closed while it waited. */
const staleConnectionsMax = 3;

const staleCodes: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** True for the failures of a TLS handshake that another certificate authority could cure. */
const isDistrust = (problem: NodeJS.ErrnoException): boolean =>
  /CERT|ISSUER|SIGNATURE|SELF_SIGNED|ERR_TLS|SSL/.test(problem.code ?? '');

/** The connections of one process to one API server. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #secure: boolean;
  #pool: { readonly agent: Agent; readonly tls: TlsMaterial } | null = null;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#secure = options.access.server.startsWith('https:');
  }

  /** Sends a request and resolves when the headers of its answer have come. */
  async open(request: HttpRequest): Promise<ApiResult<OpenAnswer>> {
    if (request.signal?.aborted === true) return fail({ kind: 'aborted' });
    let credentials: Credentials;
    try {
      credentials = await this.#options.access.credentials();
    } catch (thrown) {
      return fail({ kind: 'unauthorized', message: errorText(thrown) });
    }
    for (let stale = 0; ; stale++) {
      const answer = await this.#exchange(request, credentials);
      if (answer !== 'stale') return answer;
      if (stale >= staleConnectionsMax)
        return fail(unreachable('every kept connection was closed'));
    }
  }

  /** Sends a request and resolves when the whole answer is there. */
  async send(request: HttpRequest): Promise<ApiResult<WholeAnswer>> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + request.timeoutMs;
    const opened = await this.open(request);
    if (!opened.ok) return opened;
    const { status, retryAfter, body } = opened.value;
    const { byPieces = false, timeoutMs, signal } = request;
    const deadlineMs = byPieces ? timeoutMs : Math.max(0, untilMs - clock.monotonicMs());
    const text = await collectBody(body, { clock, deadlineMs, byPieces, signal });
    return text.ok ? ok({ status, retryAfter, text: text.value }) : text;
  }

  /** Ends connections that wait for a request; those in use end with their request. Idempotent. */
  close(): void {
    if (this.#pool !== null) retire(this.#pool.agent);
    this.#pool = null;
  }

  #agent(tls: TlsMaterial): Agent {
    if (this.#pool?.tls === tls) return this.#pool.agent;
    this.close();
    const kept = {
      keepAlive: true,
      keepAliveMsecs: keepAliveProbeMs,
      maxFreeSockets: idleConnectionsMax,
      // The newest first: those that are not needed any more grow old and are closed by the server.
      scheduling: 'lifo' as const,
    };
    const agent = this.#secure
      ? new TlsAgent({ ...kept, ...secureOptions(tls) })
      : new PlainAgent(kept);
    this.#pool = { agent, tls };
    return agent;
  }

  #start(request: HttpRequest, { tls, authorization }: Credentials): ClientRequest {
    const { access, userAgent } = this.#options;
    const headers: Record<string, string | number> = {
      accept: 'application/json',
      'user-agent': userAgent,
    };
    if (authorization !== null) headers.authorization = authorization;
    if (request.body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
      headers['content-length'] = Buffer.byteLength(request.body);
    }
    const options: RequestOptions = { agent: this.#agent(tls), method: request.method, headers };
    const url = new URL(`${access.server}${request.path}`);
    return this.#secure ? tlsRequest(url, options) : plainRequest(url, options);
  }

  #exchange(
    request: HttpRequest,
    credentials: Credentials,
  ): Promise<ApiResult<OpenAnswer> | 'stale'> {
    const { clock, access } = this.#options;
    return new Promise((resolve) => {
      const outgoing = this.#start(request, credentials);
      const settle = (answer: ApiResult<OpenAnswer> | 'stale'): void => {
        timer.clear();
        request.signal?.removeEventListener('abort', abort);
        resolve(answer);
      };
      const abort = (): void => {
        settle(fail({ kind: 'aborted' }));
        outgoing.destroy();
      };
      const timer: Timer = clock.after(request.timeoutMs, () => {
        settle(fail(unreachable(`no answer within ${request.timeoutMs} ms`)));
        outgoing.destroy();
        // Others in the pool may be as dead as this one, and would cost a deadline each.
        if (this.#pool !== null) dropIdle(this.#pool.agent);
      });
      request.signal?.addEventListener('abort', abort, { once: true });
      outgoing.on('response', (body) => {
        const retryAfter = body.headers['retry-after'];
        settle(ok({ status: body.statusCode ?? 0, retryAfter, body }));
      });
      // Stays for as long as the request lives: an error after the headers reaches the body as well.
      outgoing.on('error', (problem: NodeJS.ErrnoException) => {
        if (outgoing.reusedSocket && staleCodes.has(problem.code) && request.method !== 'POST') {
          settle('stale');
          return;
        }
        if (isDistrust(problem)) {
          access.refused();
          settle(
            fail(unreachable(`the certificate of the server is not accepted: ${problem.code}`)),
          );
          return;
        }
        settle(fail(unreachable(problem.message || (problem.code ?? 'no connection'))));
      });
      outgoing.end(request.body);
    });
  }
}

function secureOptions(tls: TlsMaterial): object {
  return {
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.serverName === null ? {} : { servername: tls.serverName }),
    rejectUnauthorized: !tls.skipVerify,
  };
}

function dropIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** No connection of this agent waits for a request any more; those in use are closed when they come back. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  dropIdle(agent);
}
