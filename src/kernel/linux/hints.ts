// Hints that something may have changed: kernel uevents as udevadm prints them, where that program exists, and
// inotify on /dev/vfio. Hints have no authority and may be lost; a source that ends says `overflow`.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, type FSWatcher, watch } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { ChangeHint } from '../fs.ts';

/** What a HintSource is made with. */
export interface HintSourceOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Program name or path; null: no uevents. */
  readonly udevadm: string | null;
  /** The folder of VFIO device files, as this machine has it. */
  readonly vfioFolder: string;
}

/**
 * Subsystems whose uevents can change a group or a use of it. Network events reach a listener only in its own
 * network namespace (lib/kobject_uevent.c), which is one of the reasons why hints have no authority.
 */
const subsystems = ['pci', 'vfio', 'vfio-dev', 'block', 'net', 'drm', 'iommu'];
const retryFirstMs = 1000;
const retryMaxMs = 60_000;
/** /dev/vfio is there only while VFIO is loaded; the poll of the caller covers the time in between. */
const watchRetryMs = 5000;
/** A line of udevadm is shorter; what is longer is dropped so that memory stays bounded. */
const lineMax = 65_536;

/** One set of sources for any number of listeners; it runs only while somebody listens. */
export class HintSource {
  readonly #options: HintSourceOptions;
  readonly #listeners = new Set<(hint: ChangeHint) => void>();
  #monitor: ChildProcess | null = null;
  #watcher: FSWatcher | null = null;
  #retryMs = retryFirstMs;
  #monitorRetry: Timer | null = null;
  #watchRetry: Timer | null = null;

  constructor(options: HintSourceOptions) {
    this.#options = options;
  }

  /** Calls `listener` for every hint until closed. */
  subscribe(listener: (hint: ChangeHint) => void): { close(): void } {
    const own = (hint: ChangeHint): void => listener(hint);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) {
      this.#startMonitor();
      this.#startWatch();
    }
    return {
      close: () => {
        if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#stop();
      },
    };
  }

  /** Ends everything; subscribers hear nothing more. */
  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #tell(hint: ChangeHint): void {
    for (const listener of this.#listeners) listener(hint);
  }

  #stop(): void {
    this.#monitorRetry?.clear();
    this.#watchRetry?.clear();
    this.#monitorRetry = null;
    this.#watchRetry = null;
    const monitor = this.#monitor;
    this.#monitor = null;
    // udevadm only listens: unlike a lane it may be sent a signal.
    monitor?.kill('SIGTERM');
    this.#watcher?.close();
    this.#watcher = null;
  }

  #startMonitor(): void {
    const { udevadm, log } = this.#options;
    this.#monitorRetry = null;
    if (udevadm === null) return;
    const chosen = subsystems.map((name) => `--subsystem-match=${name}`);
    const child = start(udevadm, ['monitor', '--kernel', ...chosen]);
    if (child === null) {
      this.#monitorRetry = this.#options.clock.after(retryMaxMs, () => this.#startMonitor());
      return;
    }
    this.#monitor = child;
    const over = (why: string, again: boolean): void => {
      if (this.#monitor !== child) return;
      this.#monitor = null;
      if (!again) {
        log.info('kernel-hints-without-udevadm', { why });
        return;
      }
      log.warn('kernel-hints-interrupted', { why, retryMs: this.#retryMs });
      this.#tell({ source: 'overflow', subject: null });
      this.#monitorRetry = this.#options.clock.after(this.#retryMs, () => this.#startMonitor());
      this.#retryMs = Math.min(this.#retryMs * 2, retryMaxMs);
    };
    child.once('error', (problem) =>
      over(errorText(problem), 'code' in problem && problem.code !== 'ENOENT'),
    );
    child.once('close', (code, signal) => over(`udevadm ended: ${signal ?? code}`, true));
    this.#readLines(child);
    child.unref();
  }

  #readLines(child: ChildProcess): void {
    let rest = '';
    child.stdout?.setEncoding('latin1');
    child.stdout?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-lineMax);
      for (const line of lines) {
        // It says so when it has subscribed.
        if (line.startsWith('KERNEL - ')) this.#options.log.info('kernel-hints-listening', {});
        const subject = /^KERNEL\[[0-9.]+\]\s+[a-z]+\s+(\/\S+)\s+\(/.exec(line)?.[1];
        if (subject === undefined) continue;
        this.#retryMs = retryFirstMs;
        this.#tell({ source: 'uevent', subject });
      }
    });
    child.stdout?.on('error', () => undefined);
    (child.stdout as { unref?(): void } | null)?.unref?.();
  }

  #startWatch(again = false): void {
    const { vfioFolder } = this.#options;
    this.#watchRetry = null;
    try {
      const watcher = watch(vfioFolder, { persistent: false });
      this.#watcher = watcher;
      watcher.on('change', (kind, name) => {
        const subject = typeof name === 'string' ? `/dev/vfio/${name}` : null;
        this.#tell({ source: 'inotify', subject });
        // The folder itself goes when VFIO is unloaded, and the watch with it.
        if (kind === 'rename' && !existsSync(vfioFolder)) this.#watchLater();
      });
      watcher.on('error', () => {
        this.#tell({ source: 'overflow', subject: null });
        this.#watchLater();
      });
      // What happened in the folder before it was watched is not known.
      if (again) this.#tell({ source: 'inotify', subject: null });
    } catch {
      this.#watchLater(); // ENOENT: VFIO is not loaded
    }
  }

  #watchLater(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#watchRetry ??= this.#options.clock.after(watchRetryMs, () => this.#startWatch(true));
  }
}

function start(program: string, args: readonly string[]): ChildProcess | null {
  try {
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' });
  } catch {
    return null; // no room for a process: tried again later
  }
}
