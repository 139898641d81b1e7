// Hints that something changed in the kubelet's folder: events of the file system where they come, and a
// poll that does not depend on them. A hint has no authority; whoever gets it looks for itself.
import { watch, type FSWatcher } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.ts';

/** Watches a folder that may not exist yet, or may be replaced. */
export class FolderWatch {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #hint: () => void;
  #watcher: FSWatcher | null = null;
  #timer: Timer | null = null;
  #closed = false;

  constructor(folder: string, clock: Clock, pollMs: number, hint: () => void) {
    this.#folder = folder;
    this.#clock = clock;
    this.#pollMs = pollMs;
    this.#hint = hint;
  }

  /** Starts; hints come until close. */
  start(): void {
    this.#arm();
    this.#tick();
  }

  /** No hints after this. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.clear();
    this.#watcher?.close();
    this.#watcher = null;
  }

  #tick(): void {
    this.#timer = this.#clock.after(this.#pollMs, () => {
      if (this.#closed) return;
      this.#arm();
      this.#hint();
      this.#tick();
    });
  }

  #arm(): void {
    if (this.#watcher !== null || this.#closed) return;
    try {
      const watcher = watch(this.#folder, { persistent: false }, (_event, name) => {
        // A folder that was removed tells its own name last; then it is watched anew at the next tick.
        if (name === null) this.#disarm(watcher);
        if (!this.#closed) this.#hint();
      });
      watcher.on('error', () => this.#disarm(watcher));
      this.#watcher = watcher;
    } catch {
      // The folder is not there (yet): the poll goes on.
    }
  }

  #disarm(watcher: FSWatcher): void {
    watcher.close();
    if (this.#watcher === watcher) this.#watcher = null;
  }
}
