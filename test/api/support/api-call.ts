// One request to the API server of a test, as JSON. Answers with any status are returned, not thrown.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/** A request. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query, for example `/api/v1/nodes?limit=1`. */
  readonly path: string;
  readonly token: string;
  readonly body?: unknown;
  /** application/json unless said: PATCH needs one of the patch types. */
  readonly contentType?: string;
}

/** An answer. */
export interface ApiAnswer {
  readonly status: number;
  /** Parsed when it is JSON. */
  readonly body: unknown;
  /** Texts of the Warning headers: what kubectl prints after "Warning: ". */
  readonly warnings: readonly string[];
}

/** Server-side apply. */
export const applyPatch = 'application/apply-patch+yaml';
/** RFC 7386. */
export const mergePatch = 'application/merge-patch+json';

function warningTexts(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/299 \S+ ("(?:[^"\\]|\\.)*")/g)].map(([, quoted = '""']) =>
    String(JSON.parse(quoted)),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Sends a call to the server at `url`, whose certificate must be signed by the CA in `caFile`. */
export async function send(url: string, caFile: string, call: ApiCall): Promise<ApiAnswer> {
  const { method, path, token, body, contentType = 'application/json' } = call;
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, url),
      {
        method,
        ca: readFileSync(caFile),
        agent: false,
        timeout: 30_000,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject).on('end', () => {
          const warnings = warningTexts(response.headers['warning']);
          resolve({ status: response.statusCode ?? 0, body: parsed(text), warnings });
        });
      },
    );
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`${method} ${path}: no answer in 30 s`)),
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
