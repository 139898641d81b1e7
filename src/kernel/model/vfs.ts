// The file surface of the model: folders, files and links made on demand from the model's objects, as
// sysfs makes them. Nothing is stored here; every look asks the objects.
import type { Settled } from '../fs.ts';

/** A simulated thread in the kernel: who makes a call, and in what state it sleeps. */
export interface Task {
  /** Process the call belongs to: its open files and its death are looked up by this. */
  readonly pid: number;
  /** R: running or done; S: interruptible sleep; D: uninterruptible (even SIGKILL is useless). */
  state: 'R' | 'S' | 'D';
  /** Called when a signal arrives during an interruptible sleep. */
  onSignal: ((signal: number) => void) | null;
  /** It waited for a lock, got it, and has not slept since. */
  justWoken?: boolean;
  /** It has given a lock to one who waited: on kernels where the waiter runs first, that one is heard first. */
  handedOver?: boolean;
}

/** A call that is over at once, or sleeps and is over later (never rejects). */
export type Attempt<T> = Settled<T> | Promise<Settled<T>>;

/** A folder. */
export interface VDir {
  readonly kind: 'dir';
  /** Names, in the order the objects are held (kernfs sorts by hash: name-hash.ts has that order). */
  list(): readonly string[];
  child(name: string): VNode | null;
}

/** A file; opening it for what it has no function for gives EACCES (sysfs checks that even for root). */
export interface VFile {
  readonly kind: 'file';
  readonly mode: number;
  read?(task: Task): Attempt<string | Uint8Array>;
  write?(data: string, task: Task): Attempt<number>;
}

/** A symbolic link. */
export interface VLink {
  readonly kind: 'link';
  /** The text that readlink(2) gives, usually relative. */
  readonly target: string;
  /** Absolute path the link leads to; with `to`, path resolution jumps there without walking. */
  readonly path?: string;
  to?(): VNode | null;
}

/** A device node: opened through the model's open-file table, not read as text. */
export interface VDevice {
  readonly kind: 'device';
  readonly mode: number;
  /** What open(2) on it means: `vfio-container`, `vfio-group:1`, `vfio-device:vfio0`, `iommufd`, `other`. */
  readonly opens: string;
}

/** Anything that a path can lead to. */
export type VNode = VDir | VFile | VLink | VDevice;
