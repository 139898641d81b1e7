// Who is told of changes. One handler that throws, or whose promise is rejected, is logged and disturbs neither
// the others nor the watch.
import { errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { KubeObject } from '../objects.ts';
import { objectKey } from '../objects.ts';
import type { Change } from './cache.ts';

/** What a handler is told; called in order, one change after the other. Must return soon: put keys into a queue. */
export interface InformerHandler<Kept> {
  added?(object: Kept): void;
  updated?(object: Kept, before: Kept): void;
  /** `object` is the last that was known; what happened to it in between may not be. */
  deleted?(object: Kept): void;
}

/** The handlers of one informer. */
export class Handlers<Kept extends KubeObject> {
  readonly #resource: string;
  readonly #log: Log;
  readonly #handlers = new Set<InformerHandler<Kept>>();

  constructor(resource: string, log: Log) {
    this.#resource = resource;
    this.#log = log;
  }

  /** Adds a handler and tells it what is there already; the function that is returned removes it. */
  add(handler: InformerHandler<Kept>, present: Iterable<Kept>): () => void {
    for (const object of present) this.#deliver(handler, { kind: 'added', object });
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** Tells everybody. */
  tell(changes: readonly Change<Kept>[]): void {
    for (const change of changes) {
      for (const handler of this.#handlers) this.#deliver(handler, change);
    }
  }

  #deliver(handler: InformerHandler<Kept>, change: Change<Kept>): void {
    const failed = (thrown: unknown): void =>
      this.#log.error('cluster-handler-threw', {
        resource: this.#resource,
        object: objectKey(change.object.metadata),
        change: change.kind,
        thrown: errorText(thrown),
      });
    try {
      // An async method fits into a type that returns nothing: its rejection would end the process.
      const answer: unknown = call(handler, change);
      if (answer instanceof Promise) answer.catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }
}

function call<Kept>(handler: InformerHandler<Kept>, change: Change<Kept>): unknown {
  switch (change.kind) {
    case 'added':
      return handler.added?.(change.object);
    case 'updated':
      return handler.updated?.(change.object, change.before);
    case 'deleted':
      return handler.deleted?.(change.object);
  }
}
