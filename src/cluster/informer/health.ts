// What a kept resource is worth right now.
import type { ApiProblem } from '../problem.ts';

/** What an informer is worth. */
export interface InformerHealth {
  /** The cache has been complete once. */
  readonly synced: boolean;
  /** Why it does not hear anything now, when the server said it; null when it hears, or just cannot connect. */
  readonly problem: ApiProblem | null;
  /** True while a watch is open, or was just closed in an orderly way. */
  readonly current: boolean;
  /** Since the last list, event or bookmark; null before the first. */
  readonly heardAgeMs: number | null;
  /** How many times the whole resource was listed. */
  readonly lists: number;
}
