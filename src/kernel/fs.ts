// KernelFs: the only way to the machine. Everything wholegroup knows of, or does to, Linux goes through
// these seven calls, so that the same code runs against a real /sys and against the model.
// Paths are the canonical ones (/sys/…, /proc/…, /dev/…), wherever the implementation has them mounted.

/** Symbolic errno as Linux names it (`ENOENT`, `EBUSY`, …). */
export type Errno = string;

/** What became of a call that is over. */
export type Settled<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'errno'; readonly errno: Errno };

/**
 * What came of a call within its deadline. `pending`: still blocked in the kernel; nothing was undone,
 * the call goes on, and `settles` delivers its late answer (it never rejects).
 */
export type Outcome<T> =
  | Settled<T>
  | { readonly kind: 'pending'; readonly settles: Promise<Settled<T>> };

/** How long a caller waits before it hears `pending`. */
export interface CallOptions {
  /** Milliseconds; implementations default to 2000. */
  readonly deadlineMs?: number;
}

/**
 * What a reader needs of a file. An implementation may give more than asked for (the whole file), never less:
 * the caller still searches what it gets.
 */
export interface ReadOptions extends CallOptions {
  /** Only the first so many bytes: configuration space is slow to read, and wakes the device for each access. */
  readonly firstBytes?: number;
  /** Only lines that contain this text (at most 1 MiB of them); the file itself may then be of any length. */
  readonly linesWith?: string;
}

/** A name in a folder, and where the link of that name leads. */
export interface FolderLink {
  readonly name: string;
  readonly link: Settled<string>;
}

/** Something may have changed. A hint has no authority: whoever gets it looks for himself. */
export interface ChangeHint {
  readonly source: 'uevent' | 'inotify' | 'overflow';
  /** Device path or file the hint is about, where the source tells. */
  readonly subject: string | null;
}

/** The machine, as files. No call throws for what the kernel answers; errnos are data. */
export interface KernelFs {
  /** The bytes of a file; EFBIG when it has more than 1 MiB: a cut text would be taken for the whole. */
  read(path: string, options?: ReadOptions): Promise<Outcome<Uint8Array>>;
  /** Names in a folder, unordered, without `.` and `..`. */
  list(path: string, options?: CallOptions): Promise<Outcome<readonly string[]>>;
  /** The text of a symbolic link as the kernel gives it (usually relative). */
  readLink(path: string, options?: CallOptions): Promise<Outcome<string>>;
  /**
   * Every name in a folder with what readLink says of it (EINVAL: no link): one call where a folder holds hundreds, as
   * a class in /sys and the descriptors of a process do. A name that went away since the listing has its errno.
   */
  readLinks(path: string, options?: CallOptions): Promise<Outcome<readonly FolderLink[]>>;
  /** One write(2) of `data` from offset 0 to an existing file; the number of bytes the kernel took. */
  write(path: string, data: string, options?: CallOptions): Promise<Outcome<number>>;
  /** Whether the path exists, links followed (stat). */
  exists(path: string, options?: CallOptions): Promise<Outcome<boolean>>;
  /** Calls `listener` on hints until closed. Some machines give none: callers also poll. */
  changes(listener: (hint: ChangeHint) => void): { close(): void };
}
