// What an ioctl or open(2) of the model returns: a number or an errno.
import type { Errno } from '../../fs.ts';
import type { OpenFile } from '../objects/open-file.ts';

/** A number (descriptor, 0) or an errno. */
export type Returned =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly errno: Errno };

/** Success with a number. */
export function returned(value: number): Returned {
  return { ok: true, value };
}

/** Failure. */
export function refused(errno: Errno): Returned {
  return { ok: false, errno };
}

/** 0, or the errno. */
export function zeroOr(errno: Errno | null): Returned {
  return errno === null ? returned(0) : refused(errno);
}

/** What an ioctl of another kind of file answers to a group's ioctl. */
export function notThatKind(file: OpenFile): Errno {
  const { what } = file;
  if (what.kind === 'container') return what.container.backend === null ? 'EINVAL' : 'ENOTTY';
  if (what.kind === 'device') return what.granted ? 'ENOTTY' : 'EINVAL';
  return 'ENOTTY';
}
