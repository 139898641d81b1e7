// A small API server over plain HTTP for unit tests: objects in memory, list by pages, watch with bookmarks,
// compaction, server-side apply as a merge. It keeps the real one's rules as far as a client can tell; what it says
// is proven again on the real one (test/api/cluster-client runs the same cases).
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

interface Stored extends Json {
  metadata: Json & { name: string; namespace?: string; uid: string; resourceVersion: string };
}

interface Happened {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly object: Stored;
}

interface Watcher {
  readonly place: Place;
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
}

interface Place {
  /** Group, version and plural: what a watch is about. */
  readonly collection: string;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly subresource: string | null;
}

function placeOf(pathname: string): Place {
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const rootParts = parts[0] === 'api' ? 2 : 3;
  const rest = parts.slice(rootParts);
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? (rest[1] ?? null) : null;
  const [plural = '', name = null, subresource = null] = namespace === null ? rest : rest.slice(2);
  const collection = [...parts.slice(0, rootParts), plural].join('/');
  return { collection, namespace, name, subresource };
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function merged(into: Json, patch: Json): Json {
  const result = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    if (value === null) delete result[key];
    else result[key] = isObject(value) ? merged(isObject(before) ? before : {}, value) : value;
  }
  return result;
}

const failure = (code: number, reason: string, message: string): Json => ({
  ...{ kind: 'Status', apiVersion: 'v1', status: 'Failure', metadata: {} },
  ...{ code, reason, message },
});

/** A running small server. */
export class SmallApi {
  readonly #server: Server;
  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Set<Watcher>();
  /** What is left of lists by pages: all pages of a list are of one moment. */
  readonly #rests = new Map<string, { readonly version: number; readonly objects: Stored[] }>();
  #history: Happened[] = [];
  #version = 100;
  #oldest = 100;
  #uids = 0;
  /** Interval of bookmarks on quiet watches. */
  readonly #bookmarks: NodeJS.Timeout;

  private constructor(server: Server, bookmarkMs: number) {
    this.#server = server;
    server.on('request', (request, response) => void this.#answer(request, response));
    this.#bookmarks = setInterval(() => this.#bookmark(), bookmarkMs);
  }

  /** Starts on a free loopback port. */
  static async start(options: { readonly bookmarkMs?: number } = {}): Promise<SmallApi> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SmallApi(server, options.bookmarkMs ?? 60_000);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Forgets everything that has happened: a watch or a page from before is gone. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#version;
  }

  async close(): Promise<void> {
    clearInterval(this.#bookmarks);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://small');
    const place = placeOf(url.pathname);
    const text = (await request.toArray()).join('');
    const body = (text === '' ? {} : JSON.parse(text)) as Json;
    const send = (code: number, answer: unknown): void => {
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    };
    if (request.method === 'GET' && place.name === null) {
      if (url.searchParams.get('watch') === 'true') this.#watch(place, url.searchParams, response);
      else this.#list(place, url.searchParams, send);
      return;
    }
    const key = this.#key(place, body);
    const [code, answer] = this.#write(request.method ?? '', { place, key, body });
    send(code, answer);
  }

  #key(place: Place, body: Json): string {
    const name = place.name ?? (isObject(body.metadata) ? String(body.metadata.name) : '');
    return `${place.collection}|${place.namespace ?? ''}|${name}`;
  }

  #write(
    method: string,
    { place, key, body }: { place: Place; key: string; body: Json },
  ): [number, unknown] {
    const before = this.#objects.get(key);
    if (method === 'POST') {
      if (before !== undefined) return [409, failure(409, 'AlreadyExists', `${key} exists`)];
      return [201, this.#put(place, key, body)];
    }
    const applies = method === 'PATCH' && place.subresource === null && 'apiVersion' in body;
    if (before === undefined && !applies)
      return [404, failure(404, 'NotFound', `${key} not found`)];
    switch (method) {
      case 'GET':
        return [200, before];
      case 'DELETE':
        return this.#remove(place, key, body);
      case 'PUT': {
        const version = isObject(body.metadata) ? body.metadata.resourceVersion : undefined;
        if (version !== undefined && version !== before?.metadata.resourceVersion) {
          return [409, failure(409, 'Conflict', 'the object has been modified')];
        }
        return [200, this.#put(place, key, body)];
      }
      default: {
        const { apiVersion: _a, kind: _k, ...patch } = body;
        return [200, this.#put(place, key, merged(before ?? { metadata: {} }, patch))];
      }
    }
  }

  #remove(place: Place, key: string, body: Json): [number, unknown] {
    const object = this.#objects.get(key) as Stored;
    const wanted = isObject(body.preconditions) ? body.preconditions.uid : undefined;
    if (wanted !== undefined && wanted !== object.metadata.uid) {
      return [409, failure(409, 'Conflict', 'Precondition failed: UID')];
    }
    this.#objects.delete(key);
    this.#happen('DELETED', place, object);
    return [200, { kind: 'Status', status: 'Success' }];
  }

  #put(place: Place, key: string, body: Json): Stored {
    const before = this.#objects.get(key);
    const metadata = {
      ...(isObject(body.metadata) ? body.metadata : {}),
      name: key.split('|')[2] ?? '',
      ...(place.namespace === null ? {} : { namespace: place.namespace }),
      uid: before?.metadata.uid ?? `uid-${++this.#uids}`,
      resourceVersion: before?.metadata.resourceVersion ?? '',
    };
    const object: Stored = { ...body, metadata };
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(object)) return before;
    this.#objects.set(key, object);
    this.#happen(before === undefined ? 'ADDED' : 'MODIFIED', place, object);
    return object;
  }

  #happen(type: Happened['type'], place: Place, object: Stored): void {
    const version = ++this.#version;
    object.metadata = { ...object.metadata, resourceVersion: String(version) };
    const event: Happened = { version, type, collection: place.collection, object: { ...object } };
    this.#history.push(event);
    for (const watcher of this.#watchers) this.#tell(watcher, event);
  }

  #tell({ place, query, response }: Watcher, { collection, type, object }: Happened): void {
    if (collection !== place.collection || !fits(object, place, query)) return;
    response.write(`${JSON.stringify({ type, object })}\n`);
  }

  #bookmark(): void {
    const object = { kind: 'Bookmark', metadata: { resourceVersion: String(this.#version) } };
    for (const { response, query } of this.#watchers) {
      if (query.get('allowWatchBookmarks') !== 'true') continue;
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
  }

  #watch(place: Place, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.#oldest) {
      const object = failure(410, 'Expired', `too old resource version: ${from}`);
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    const watcher: Watcher = { place, query, response };
    for (const event of this.#history) if (event.version > from) this.#tell(watcher, event);
    this.#watchers.add(watcher);
    const over = setTimeout(() => response.end(), Number(query.get('timeoutSeconds')) * 1000);
    response.on('close', () => {
      clearTimeout(over);
      this.#watchers.delete(watcher);
    });
  }

  #list(place: Place, query: URLSearchParams, send: (code: number, answer: unknown) => void): void {
    const limit = Number(query.get('limit') ?? Number.POSITIVE_INFINITY);
    const token = query.get('continue');
    const rest =
      token === null
        ? { version: this.#version, objects: this.#found(place, query) }
        : this.#rests.get(token);
    if (rest === undefined || rest.version < this.#oldest) {
      send(410, failure(410, 'Expired', 'The provided continue parameter is too old'));
      return;
    }
    const { version, objects } = rest;
    const more = objects.length > limit ? `${version}-${this.#rests.size}` : '';
    if (more !== '') this.#rests.set(more, { version, objects: objects.slice(limit) });
    const metadata = { resourceVersion: String(version), continue: more };
    send(200, { kind: 'List', metadata, items: objects.slice(0, limit) });
  }

  #found(place: Place, query: URLSearchParams): Stored[] {
    return [...this.#objects]
      .filter(
        ([key, object]) => key.startsWith(`${place.collection}|`) && fits(object, place, query),
      )
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }
}

function fits(object: Stored, place: Place, query: URLSearchParams): boolean {
  const { namespace, name } = object.metadata;
  const labels = (object.metadata.labels ?? {}) as Record<string, string>;
  const terms = (selector: string): string[][] =>
    (query.get(selector) ?? '')
      .split(',')
      .filter(Boolean)
      .map((term) => term.split('='));
  return (
    (place.namespace === null || place.namespace === namespace) &&
    terms('labelSelector').every(([key = '', value]) => labels[key] === value) &&
    terms('fieldSelector').every(([key, value]) => key !== 'metadata.name' || value === name)
  );
}
