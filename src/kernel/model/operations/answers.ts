// Short forms for what a file operation answers.
import type { Errno, Settled } from '../../fs.ts';

/** A value. */
export function value<T>(of: T): Settled<T> {
  return { kind: 'value', value: of };
}

/** An errno. */
export function errno(name: Errno): { readonly kind: 'errno'; readonly errno: Errno } {
  return { kind: 'errno', errno: name };
}

/** A write that took everything, or the errno. */
export function took(data: string, failure: Errno | null): Settled<number> {
  return failure === null ? value(data.length) : errno(failure);
}
