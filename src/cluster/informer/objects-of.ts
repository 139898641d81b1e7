// A resource as it is kept, for those who only look: what an Informer gives, and a test can give as well.
import type { KubeObject } from '../objects.ts';

/** The objects of one resource. */
export interface ObjectsOf<Kept extends KubeObject = KubeObject> {
  readonly hasSynced: boolean;
  values(): Iterable<Kept>;
  get(name: string, namespace?: string): Kept | undefined;
  /** Tells what is there already, and everything from then on, until the function that is returned is called. */
  onChange(handler: {
    added?(object: Kept): void;
    updated?(object: Kept, before: Kept): void;
    deleted?(object: Kept): void;
  }): () => void;
}
