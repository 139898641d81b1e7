// The stream of a watch: one JSON object to a line. A line that means nothing breaks the stream, since whatever
// it was is lost; an ERROR line ends it with the problem that it carries.
import type { Readable } from 'node:stream';
import { type BodyWait, type LinesEnd, readLines } from './http/body.ts';
import type { KubeObject } from './objects.ts';
import { type ApiProblem, problemOf, type StatusBody } from './problem.ts';

/** What comes on a watch. */
export type WatchEvent =
  /** The server has accepted the watch; nothing may come for a long time. */
  | { readonly kind: 'opened' }
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly object: KubeObject }
  /** Nothing has happened up to this version. */
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

/** Why a watch is over. */
export type WatchEnd =
  | LinesEnd
  /** It could not be opened, or the server ended it with an error. */
  | { readonly kind: 'problem'; readonly problem: ApiProblem };

interface Line {
  readonly type?: string;
  readonly object?: KubeObject & StatusBody;
}

type Understood = WatchEvent | { readonly kind: 'over'; readonly end: WatchEnd };

const broken = (why: string): Understood => ({ kind: 'over', end: { kind: 'broken', why } });

function understand(text: string): Understood {
  let line: Line;
  try {
    line = JSON.parse(text) as Line;
  } catch {
    return broken(`a line that is not JSON: ${text.slice(0, 80)}`);
  }
  const { type, object } = line;
  if (object === undefined || object === null) return broken(`a line without an object (${type})`);
  switch (type) {
    case 'ADDED':
      return { kind: 'added', object };
    case 'MODIFIED':
      return { kind: 'modified', object };
    case 'DELETED':
      return { kind: 'deleted', object };
    case 'BOOKMARK':
      return { kind: 'bookmark', resourceVersion: object.metadata.resourceVersion ?? '' };
    case 'ERROR': {
      const problem = problemOf({ status: object.code ?? 500, body: object });
      return { kind: 'over', end: { kind: 'problem', problem } };
    }
    default:
      return broken(`a line of unknown type ${type ?? '(none)'}`);
  }
}

/** Reads a watch to its end. */
export async function readWatch(
  body: Readable,
  wait: BodyWait,
  onEvent: (event: WatchEvent) => boolean,
): Promise<WatchEnd> {
  let over: WatchEnd | null = null;
  const end = await readLines(body, wait, (text) => {
    const understood = understand(text);
    if (understood.kind !== 'over') return onEvent(understood);
    over = understood.end;
    return false;
  });
  return over ?? end;
}
