// A proxy between client and API server that breaks things on purpose, by HTTP request: answers of its own, lines of
// its own, streams that stop without a word, are reset, slowed down or cut. Everything else goes through untouched.
import {
  createServer as createPlain,
  request as plainRequest,
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTls, request as tlsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** What a fault does to a request that it fits. */
export type Effect =
  /** Answers by itself; the server never hears of it. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** Half-open: after `bytes` of the answer nothing comes any more, and nobody closes anything. */
  | { readonly kind: 'stall'; readonly bytes: number }
  /** A TCP reset, before the answer. */
  | { readonly kind: 'reset' }
  /** One byte at a time at first, then pieces, with a pause after each. */
  | { readonly kind: 'slow'; readonly pauseMs: number }
  /** The connection ends after `bytes` of the answer, wherever that is. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** The headers are the server's, then comes this line, and the end. */
  | { readonly kind: 'line'; readonly line: unknown };

/** A request as a fault sees it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly atMs: number;
}

/** A fault: the first that fits is taken, and is gone after `times` (default 1). */
export interface Fault {
  readonly when: (request: SeenRequest) => boolean;
  readonly effect: Effect;
  readonly times?: number;
}

export const isWatch = ({ path }: SeenRequest): boolean => path.includes('watch=true');
export const isList = (seen: SeenRequest): boolean =>
  seen.method === 'GET' && !isWatch(seen) && /[?&]limit=|s(\?|$)/.test(seen.path);

/** What a proxy is made from. */
export interface FaultProxyOptions {
  readonly upstream: string;
  /** PEM of the authority that signed the server. */
  readonly upstreamCa?: () => string;
  /** Serves TLS with this. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A running proxy. */
export class FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #server: Server;
  /** Bare TCP sockets by the client's port: under TLS a request's own socket cannot be reset. */
  readonly #sockets = new Map<number, Socket>();
  readonly #faults: { fault: Fault; left: number }[] = [];
  /** Every request, in order. */
  readonly seen: SeenRequest[] = [];
  /** How many connections were accepted. */
  connections = 0;
  #away = false;

  private constructor(options: FaultProxyOptions) {
    this.#options = options;
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      this.#serve(request, response);
    this.#server =
      options.tls === undefined ? createPlain(listener) : createTls(options.tls, listener);
    this.#server.on('connection', (socket: Socket) => {
      if (this.#away) {
        socket.resetAndDestroy();
        return;
      }
      this.connections++;
      const port = socket.remotePort ?? 0;
      this.#sockets.set(port, socket);
      socket.on('close', () => this.#sockets.delete(port));
    });
  }

  /** Starts on a free loopback port. */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  /** Open connections. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Adds a fault behind those that are there. */
  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** No faults any more. */
  heal(): void {
    this.#faults.length = 0;
  }

  /** Resets every connection; `away`: and every new one, until told otherwise. */
  breakAll(away = false): void {
    this.#away = away;
    for (const socket of this.#sockets.values()) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    const seen = { method: request.method ?? 'GET', path, atMs: performance.now() };
    this.seen.push(seen);
    const effect = this.#effectFor(seen);
    switch (effect?.kind) {
      case 'reset':
        this.#reset(request);
        return;
      case 'answer':
        request.resume();
        response.writeHead(effect.status, {
          'content-type': 'application/json',
          ...effect.headers,
        });
        response.end(JSON.stringify(effect.body ?? { kind: 'Status', code: effect.status }));
        return;
      default:
        this.#forward(request, response, effect);
    }
  }

  #reset(request: IncomingMessage): void {
    this.#sockets.get(request.socket.remotePort ?? 0)?.resetAndDestroy();
  }

  #effectFor(seen: SeenRequest): Effect | undefined {
    const index = this.#faults.findIndex(({ fault }) => fault.when(seen));
    const found = this.#faults[index];
    if (found === undefined) return undefined;
    if (--found.left <= 0) this.#faults.splice(index, 1);
    return found.fault.effect;
  }

  #forward(request: IncomingMessage, response: ServerResponse, effect?: Effect): void {
    const { upstream, upstreamCa } = this.#options;
    const url = new URL(request.url ?? '/', upstream);
    const options = { method: request.method, headers: { ...request.headers, host: url.host } };
    const outgoing: ClientRequest =
      url.protocol === 'https:'
        ? tlsRequest(url, { ...options, ca: upstreamCa?.() })
        : plainRequest(url, options);
    outgoing.on('error', () => this.#reset(request));
    response.on('close', () => outgoing.destroy());
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.on('error', () => response.destroy());
      void pass(answer, response, { effect, reset: () => this.#reset(request) });
    });
    request.pipe(outgoing);
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function pass(
  answer: IncomingMessage,
  response: ServerResponse,
  { effect, reset }: { readonly effect: Effect | undefined; readonly reset: () => void },
): Promise<void> {
  switch (effect?.kind) {
    case 'line':
      answer.destroy();
      response.end(`${JSON.stringify(effect.line)}\n`);
      return;
    case 'stall':
    case 'cut': {
      let left = effect.bytes;
      answer.on('data', (chunk: Buffer) => {
        if (left > 0) response.write(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0 && effect.kind === 'cut') reset();
      });
      // Not even the end goes through a stalled connection.
      if (effect.kind === 'cut') answer.on('end', () => response.end());
      else if (left <= 0) answer.resume();
      return;
    }
    case 'slow':
      try {
        for await (const chunk of answer as AsyncIterable<Buffer>) {
          for (let at = 0, size = 1; at < chunk.length; at += size, size = at < 40 ? 1 : 512) {
            response.write(chunk.subarray(at, at + size));
            await pause(effect.pauseMs);
          }
        }
      } catch {
        // The client has had enough.
      }
      response.end();
      return;
    default:
      answer.pipe(response);
  }
}
