// /healthz, /readyz, /metrics and /groups over HTTP. Four fixed answers to GET; refuses everything else, and anybody
// who is slow.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError, errorText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ListenAddress } from './listen-address.ts';

/** What the server tells. */
export interface Observed {
  /** Why the agent cannot serve now; empty: it can. One short sentence each. */
  readiness(): readonly string[];
  /** Every group as it is now, for people and tools on the node: served as JSON under /groups. */
  groups(): unknown;
  /** The text of the metrics and its content type. */
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** A server that listens. */
export interface ObserveServer {
  /** Where it listens, with the port that was found when 0 was asked for. */
  readonly address: ListenAddress;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** A monitoring system opens one or two connections; more than this are a mistake or an attack. */
const connectionsMax = 64;
/** A client that has not sent its request, or not taken its answer, by then is cut off. */
const slowMs = 5000;

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const plain = (status: number, body: string): Answer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

async function answerTo(request: IncomingMessage, observed: Observed): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plain(405, 'only GET and HEAD are answered');
  const path = (request.url ?? '').split('?')[0];
  switch (path) {
    case '/healthz':
      return plain(200, 'ok');
    case '/readyz': {
      const reasons = observed.readiness();
      return reasons.length === 0 ? plain(200, 'ok') : plain(503, reasons.join('\n'));
    }
    case '/metrics': {
      const { text, contentType } = await observed.metrics();
      return { status: 200, contentType, body: text };
    }
    case '/groups': {
      const body = `${JSON.stringify(observed.groups(), null, 2)}\n`;
      return { status: 200, contentType: 'application/json', body };
    }
    default:
      return plain(404, 'there are /healthz, /readyz, /metrics and /groups');
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  observed: Observed,
): Promise<void> {
  const answer = await answerTo(request, observed).catch((thrown: unknown) =>
    plain(500, errorText(thrown)),
  );
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(answer.status === 405 ? { allow: 'GET, HEAD', connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

function listening(server: Server, { host, port }: ListenAddress): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (problem) => {
      const message = `${host}:${port} cannot be listened on: ${problem.message}`;
      reject(new CodedError('WG_LISTEN_FAILED', message, { cause: problem }));
    });
    server.listen({ host, port, backlog: connectionsMax }, () =>
      resolve(server.address() as AddressInfo),
    );
  });
}

/** Starts the server. Throws CodedError WG_LISTEN_FAILED when the address cannot be had. */
export async function serveObserved(
  address: ListenAddress,
  observed: Observed,
  log: Log,
): Promise<ObserveServer> {
  const limits = {
    headersTimeout: slowMs,
    requestTimeout: slowMs,
    keepAliveTimeout: slowMs,
    connectionsCheckingInterval: slowMs,
    maxHeaderSize: 8192,
  };
  const server = createServer(limits, (request, response) => {
    request.resume();
    void respond(request, response, observed);
  });
  server.maxConnections = connectionsMax;
  // Idle in either direction: also a client that takes its answer byte by byte too slowly for the socket.
  server.setTimeout(slowMs, (socket) => socket.destroy());
  server.on('clientError', (_problem, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    else socket.destroy();
  });
  const { port } = await listening(server, address);
  // An accept that fails for want of file descriptors is told and survived.
  server.on('error', (problem) => log.error('observe server failed', { why: problem.message }));
  return {
    address: { host: address.host, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
