// Bodies of answers: the whole text of one, or its lines as they come. A body that stays silent too long is ended
// here: a connection whose other end has gone without a word looks exactly like a quiet one.
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { fail, ok } from '../../base/result.ts';
import { type ApiResult, unreachable } from '../problem.ts';

/** How a body is waited for. */
export interface BodyWait {
  readonly clock: Clock;
  /** For a whole body: until its end. For lines, and by pieces: between two pieces. */
  readonly deadlineMs: number;
  readonly byPieces?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The API server limits an object to 3 MB and a page to 500 of ours; more is not an answer. */
const bodyBytesMax = 256 * 1024 * 1024;

type Ended = 'late' | 'aborted' | null;

/** Destroys `body` when time is up or the signal fires; `ended` says which it was. */
class Guard {
  ended: Ended = null;
  readonly #body: Readable;
  readonly #wait: BodyWait;
  #timer: Timer;

  constructor(body: Readable, wait: BodyWait) {
    this.#body = body;
    this.#wait = wait;
    this.#timer = this.#set();
    wait.signal?.addEventListener('abort', this.#abort, { once: true });
    if (wait.signal?.aborted === true) this.#end('aborted');
  }

  /** Something came: the time begins anew. */
  touch(): void {
    this.#timer.clear();
    this.#timer = this.#set();
  }

  release(): void {
    this.#timer.clear();
    this.#wait.signal?.removeEventListener('abort', this.#abort);
  }

  #set(): Timer {
    return this.#wait.clock.after(this.#wait.deadlineMs, () => this.#end('late'));
  }

  readonly #abort = (): void => this.#end('aborted');

  #end(why: Ended): void {
    this.ended ??= why;
    this.#body.destroy();
  }
}

/** The whole text of a body. */
export async function collectBody(body: Readable, wait: BodyWait): Promise<ApiResult<string>> {
  const guard = new Guard(body, wait);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (wait.byPieces === true) guard.touch();
      bytes += chunk.length;
      if (bytes > bodyBytesMax) return fail(unreachable(`more than ${bodyBytesMax} bytes`));
      chunks.push(chunk);
    }
    return ok(Buffer.concat(chunks).toString('utf8'));
  } catch (thrown) {
    if (guard.ended === 'aborted') return fail({ kind: 'aborted' });
    const why = guard.ended === 'late' ? 'the answer did not end in time' : errorText(thrown);
    return fail(unreachable(why));
  } finally {
    guard.release();
  }
}

/** Why the lines of a body are over. */
export type LinesEnd =
  | { readonly kind: 'ended' }
  /** Nothing came for the whole deadline. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'aborted' };

/** Splits bytes into lines; a line may come in any number of pieces, cut anywhere. */
class LineSplitter {
  #rest: Buffer[] = [];

  *push(chunk: Buffer): Generator<string> {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...this.#rest, chunk.subarray(from, at)]).toString('utf8');
      this.#rest = [];
      from = at + 1;
      if (line !== '') yield line;
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from));
  }
}

/** Calls `onLine` for every line until the body ends; false from it ends the reading ("ended"). */
export async function readLines(
  body: Readable,
  wait: BodyWait,
  onLine: (line: string) => boolean,
): Promise<LinesEnd> {
  const guard = new Guard(body, wait);
  const splitter = new LineSplitter();
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      guard.touch();
      for (const line of splitter.push(chunk)) if (!onLine(line)) return { kind: 'ended' };
    }
    return { kind: guard.ended === 'aborted' ? 'aborted' : 'ended' };
  } catch (thrown) {
    if (guard.ended === 'aborted') return { kind: 'aborted' };
    if (guard.ended === 'late') return { kind: 'idle' };
    return { kind: 'broken', why: errorText(thrown) };
  } finally {
    guard.release();
    body.destroy();
  }
}
