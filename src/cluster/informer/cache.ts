// What is known of one resource: the slim form of every object, by key. Works out what changed between two states;
// an object with another uid is another object, even under the same name.
import type { KubeObject } from '../objects.ts';
import { objectKey } from '../objects.ts';

/** One difference. */
export type Change<Kept> =
  | { readonly kind: 'added'; readonly object: Kept }
  | { readonly kind: 'updated'; readonly object: Kept; readonly before: Kept }
  | { readonly kind: 'deleted'; readonly object: Kept };

/** Objects by key. */
export class ObjectCache<Kept extends KubeObject> {
  #objects = new Map<string, Kept>();

  /** Number of objects. */
  get size(): number {
    return this.#objects.size;
  }

  /** The object of a key. */
  get(key: string): Kept | undefined {
    return this.#objects.get(key);
  }

  /** All objects, in no order. */
  values(): IterableIterator<Kept> {
    return this.#objects.values();
  }

  /** Takes over one object as it is now; an object of the same version is no change. */
  put(object: Kept): readonly Change<Kept>[] {
    const key = objectKey(object.metadata);
    const before = this.#objects.get(key);
    this.#objects.set(key, object);
    return changesBetween(before, object);
  }

  /** Forgets an object; `last` is what is told of it. */
  remove(key: string, last?: Kept): readonly Change<Kept>[] {
    const before = this.#objects.get(key);
    if (before === undefined) return [];
    this.#objects.delete(key);
    return [{ kind: 'deleted', object: last ?? before }];
  }

  /** Takes over a whole list. Deletions come first: a new object may need what an old one held. */
  replace(objects: Map<string, Kept>): readonly Change<Kept>[] {
    const before = this.#objects;
    this.#objects = objects;
    const deleted: Change<Kept>[] = [];
    for (const [key, object] of before) {
      if (!objects.has(key)) deleted.push({ kind: 'deleted', object });
    }
    const changed = [...objects].flatMap(([key, object]) =>
      changesBetween(before.get(key), object),
    );
    return [...deleted, ...changed];
  }
}

function changesBetween<Kept extends KubeObject>(
  before: Kept | undefined,
  object: Kept,
): readonly Change<Kept>[] {
  if (before === undefined) return [{ kind: 'added', object }];
  if (before.metadata.uid !== object.metadata.uid) {
    return [
      { kind: 'deleted', object: before },
      { kind: 'added', object },
    ];
  }
  if (before.metadata.resourceVersion === object.metadata.resourceVersion) return [];
  return [{ kind: 'updated', object, before }];
}
