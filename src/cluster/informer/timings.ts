// The times and sizes of an informer, and why they are what they are.
import type { BackoffLimits } from '../backoff.ts';

/** Times and sizes of an informer. */
export interface InformerTimings {
  /** A list is asked for in pages of this many objects: 500 of ours are about 1.5 MB of JSON at a time. */
  readonly pageObjects: number;
  /** The server ends a watch after this, up to twice as long. */
  readonly watchSeconds: number;
  /** Silence after which a watch counts as dead. The API server sends a bookmark every 60 to 75 s. */
  readonly idleMs: number;
  /** Silence after which a list under way counts as dead. */
  readonly listSilenceMs: number;
  /** After failures. The cap is the longest that a server which is back can stay unnoticed. */
  readonly backoff: BackoffLimits;
  /** After refusals that a person has to cure; a server that is just starting also gives some of them. */
  readonly slow: BackoffLimits;
  /** While it lasts another reason is warned of at most this often. */
  readonly warnMs: number;
}

/** The times in use. */
export const defaultTimings: InformerTimings = {
  pageObjects: 500,
  watchSeconds: 300,
  idleMs: 100_000,
  listSilenceMs: 20_000,
  backoff: { baseMs: 200, capMs: 2500 },
  slow: { baseMs: 500, capMs: 30_000 },
  warnMs: 30_000,
};
