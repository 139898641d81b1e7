// What an informer does after each round: one table for every way in which a list or a watch can end. Pure.
import type { ApiProblem } from '../problem.ts';
import { askedToWaitMs, problemText } from '../problem.ts';
import type { WatchEnd } from '../watch.ts';

/** How a round ended. */
export type RoundEnd =
  | { readonly kind: 'listed' }
  | { readonly kind: 'list-failed'; readonly problem: ApiProblem }
  | { readonly kind: 'watched'; readonly end: WatchEnd; readonly livedMs: number };

/** How long to wait before the next round. */
export type Pause =
  | { readonly kind: 'none' }
  /** The growing wait, and at least what the server asked for. */
  | { readonly kind: 'backoff'; readonly atLeastMs: number }
  /** A person has to change something first (permissions, a missing CRD): there is no hurry. */
  | { readonly kind: 'slow' };

/** What to do next. */
export interface Reaction {
  /** List again, because the version that is known is worth nothing any more. */
  readonly relist: boolean;
  readonly pause: Pause;
  /** What went wrong, in words; null when nothing did. */
  readonly trouble: string | null;
  /** What went wrong for the owner to see, when the server said it. */
  readonly problem: ApiProblem | null;
}

/** A watch that ends sooner than this was not one: going on at once would be a tight loop. */
const shortWatchMs = 1000;

const fine: Reaction = { relist: false, pause: { kind: 'none' }, trouble: null, problem: null };

function onProblem(problem: ApiProblem): Reaction {
  const common = { relist: false, trouble: problemText(problem), problem };
  switch (problem.kind) {
    case 'aborted':
      return fine;
    case 'gone':
      return { ...common, relist: true, pause: { kind: 'backoff', atLeastMs: 0 } };
    case 'tooMany':
    case 'unavailable':
      return { ...common, pause: { kind: 'backoff', atLeastMs: askedToWaitMs(problem) } };
    // The server knows the version and refuses the question: a role or a definition is missing.
    case 'forbidden':
    case 'notFound':
    case 'invalid':
    case 'refused':
      return { ...common, pause: { kind: 'slow' } };
    // New credentials are on the disk within seconds.
    case 'unauthorized':
    case 'conflict':
    case 'alreadyExists':
      return { ...common, pause: { kind: 'backoff', atLeastMs: 0 } };
  }
}

function onWatchEnd(end: WatchEnd, livedMs: number): Reaction {
  const backoff: Pause = { kind: 'backoff', atLeastMs: 0 };
  switch (end.kind) {
    case 'aborted':
      return fine;
    case 'ended':
      return livedMs < shortWatchMs ? { ...fine, pause: backoff } : fine;
    case 'idle':
      return { ...fine, trouble: 'nothing was heard, not even a bookmark' };
    case 'broken':
      return { ...fine, pause: backoff, trouble: end.why };
    case 'problem':
      return onProblem(end.problem);
  }
}

/** What to do after a round. */
export function reactionTo(round: RoundEnd): Reaction {
  switch (round.kind) {
    case 'listed':
      return fine;
    case 'list-failed': {
      // Whatever went wrong with a list, the next round is a list.
      return { ...onProblem(round.problem), relist: true };
    }
    case 'watched':
      return onWatchEnd(round.end, round.livedMs);
  }
}
