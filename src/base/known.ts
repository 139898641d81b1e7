// A fact that was read, or the admission that it could not be. Unknown is never silently a default:
// whoever uses a Known has to say what the unknown means (for the rule: in use).

/** Why something is not known: the path that was read and what came of it. */
export interface Unknown {
  readonly known: false;
  /** The file, link or folder that should have told. */
  readonly path: string;
  /** What came instead: an errno, 'pending', or what is wrong with the text. */
  readonly why: string;
}

/** A value with certainty, or the reason why there is none. */
export type Known<T> = { readonly known: true; readonly value: T } | Unknown;

/** A fact. */
export function known<T>(value: T): { readonly known: true; readonly value: T } {
  return { known: true, value };
}

/** A fact that could not be had. */
export function unknown(path: string, why: string): Unknown {
  return { known: false, path, why };
}

/** The value, or `otherwise` when it is not known: only where the caller has a safe meaning for that. */
export function valueOr<T>(fact: Known<T>, otherwise: T): T {
  return fact.known ? fact.value : otherwise;
}
