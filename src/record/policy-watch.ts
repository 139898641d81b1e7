// Watching policy files: notices edits, atomic renames and swapped ConfigMap folders, waits until they have
// settled, and tells the state when it changed. Notifications are hints; a poll is what can be relied on.
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type Listing, listPolicyFiles, PolicyFiles, type PolicyState } from './policy-files.ts';

/** What a watch is made from. */
export interface PolicyWatchOptions {
  /** A file or a folder. It need not exist yet. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Time between looks when nothing hints at a change. Default 2 s. */
  readonly pollMs?: number;
  /** How long files must stay as they are before they are read. Default 150 ms. */
  readonly settleMs?: number;
}

/** A watch; it ends when closed. */
export interface PolicyWatch {
  close(): void;
}

/** Files that change all the time are read after this many looks all the same. */
const unsettledLooksMax = 20;

function digestOf(listing: Listing): string {
  if (listing.kind === 'unreadable') return listing.why;
  return [...listing.signatures].map((pair) => pair.join('=')).join('\n');
}

class PolicyWatcher implements PolicyWatch {
  readonly #options: PolicyWatchOptions;
  readonly #listener: (state: PolicyState) => void;
  readonly #files: PolicyFiles;
  /** Digest of the listing that was taken over last; null before the first. */
  #taken: string | null = null;
  /** Digest seen by the look before, when it was not the one taken. */
  #unsettled: string | null = null;
  #unsettledLooks = 0;
  #timer: Timer | null = null;
  #looking = false;
  #hinted = false;
  #closed = false;
  #watcher: FSWatcher | null = null;
  /** Device and inode of the folder that is watched, "" when none is. */
  #watched = '';
  #watchProblem = '';

  constructor(options: PolicyWatchOptions, listener: (state: PolicyState) => void) {
    this.#options = options;
    this.#listener = listener;
    this.#files = new PolicyFiles(options.path);
  }

  start(): void {
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** One look; the next is set when it is over, so that looks never overlap. Never rejects. */
  async #look(): Promise<void> {
    this.#looking = true;
    this.#hinted = false;
    let nextMs = this.#pollMs();
    try {
      // Watched before it is listed: what changes in between is hinted at.
      await this.#watchFolder();
      const listing = await listPolicyFiles(this.#options.path);
      if (this.#settled(digestOf(listing))) await this.#take(listing);
      if (this.#unsettled !== null) nextMs = this.#settleMs();
    } catch (thrown) {
      this.#options.log.error('policy look failed', {
        path: this.#options.path,
        why: errorText(thrown),
      });
    }
    this.#looking = false;
    if (this.#closed) return;
    this.#lookIn(this.#hinted ? this.#settleMs() : nextMs);
  }

  #lookIn(delayMs: number): void {
    this.#timer?.clear();
    this.#timer = this.#options.clock.after(delayMs, () => void this.#look());
  }

  #hint(): void {
    this.#hinted = true;
    if (!this.#looking && !this.#closed) this.#lookIn(this.#settleMs());
  }

  /** True when what was seen is to be taken over: it is new, and it was seen twice (the first time: once). */
  #settled(digest: string): boolean {
    if (digest === this.#taken) {
      this.#unsettled = null;
      this.#unsettledLooks = 0;
      return false;
    }
    const settled =
      this.#taken === null ||
      digest === this.#unsettled ||
      ++this.#unsettledLooks >= unsettledLooksMax;
    this.#unsettled = settled ? null : digest;
    if (!settled) return false;
    this.#taken = digest;
    this.#unsettledLooks = 0;
    return true;
  }

  async #take(listing: Listing): Promise<void> {
    await this.#files.take(listing);
    if (this.#closed) return;
    const state = this.#files.state();
    const { log, path } = this.#options;
    for (const { path: at, message } of state.problems) log.warn('policy problem', { at, message });
    log.info('policies loaded', {
      path,
      policies: state.policies.length,
      problems: state.problems.length,
    });
    this.#listener(state);
  }

  /** Watches the folder, or the file's folder: a watch of a file ends with the first atomic rename. */
  async #watchFolder(): Promise<void> {
    try {
      const folder = await this.#folder();
      const { dev, ino } = await stat(folder);
      if (this.#closed || (this.#watcher !== null && this.#watched === `${dev}.${ino}`)) return;
      this.#watcher?.close();
      this.#watcher = watch(folder, () => this.#hint());
      this.#watcher.on('error', (error) => this.#watchLost(error));
      this.#watched = `${dev}.${ino}`;
      this.#watchProblem = '';
    } catch (thrown) {
      this.#watchLost(thrown);
    }
  }

  async #folder(): Promise<string> {
    const { path } = this.#options;
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return isFolder ? path : dirname(path);
  }

  #watchLost(thrown: unknown): void {
    this.#watcher?.close();
    this.#watcher = null;
    const why = errorText(thrown);
    if (why === this.#watchProblem) return;
    this.#watchProblem = why;
    this.#options.log.warn('policy watch unavailable', {
      path: this.#options.path,
      why,
      pollMs: this.#pollMs(),
    });
  }

  #pollMs(): number {
    return this.#options.pollMs ?? 2000;
  }

  #settleMs(): number {
    return this.#options.settleMs ?? 150;
  }
}

/**
 * Reads the policies under `path` and calls `listener` with what is in force: once soon after the call, also
 * when there is nothing, and after every change that has settled. A bad edit never takes policies out of force.
 */
export function watchPolicies(
  options: PolicyWatchOptions,
  listener: (state: PolicyState) => void,
): PolicyWatch {
  const watcher = new PolicyWatcher(options, listener);
  watcher.start();
  return watcher;
}
