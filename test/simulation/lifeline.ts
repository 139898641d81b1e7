// One life of a simulated agent: everything it holds on to goes through here, so that a kill -9 at any call
// to the kernel or any record write leaves nothing of it running.
import type { Clock, Timer } from '../../src/base/clock.ts';
import type { KernelFs } from '../../src/kernel/fs.ts';
import type { RecordFault, RecordFaultPoint } from '../../src/record/memory-store.ts';

/** A promise that never settles: what a dead process hears. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** When a life ends by itself: after so many kernel calls or record operations, before or after the call is done. */
export interface Doom {
  readonly after: number;
  readonly done: boolean;
}

/** Checks that look at each write before it is made. */
export type WriteCheck = (path: string, data: string) => void;

/** What a call (`read /sys/…`) waits before it is made, in milliseconds. */
export type Slowness = (what: string) => number;

/** A call to the kernel that has not answered, for the watch over R8. */
export interface OpenCall {
  readonly what: string;
  readonly sinceMs: number;
}

/** One life. */
export class Lifeline {
  alive = true;
  /** What its kernel calls have waited for a slow machine, in milliseconds. */
  waitedMs = 0;
  readonly openCalls = new Set<OpenCall>();
  readonly #watches = new Set<{ close(): void }>();
  readonly #onDeath: () => void;
  #doom: Doom | null = null;

  constructor(onDeath: () => void) {
    this.#onDeath = onDeath;
  }

  /** Sets the moment of death; the calls from now on are counted. */
  doom(doom: Doom | null): void {
    this.#doom = doom;
  }

  /** kill -9. */
  end(): void {
    if (!this.alive) return;
    this.alive = false;
    this.openCalls.clear();
    for (const watch of this.#watches) watch.close();
    this.#onDeath();
  }

  /** Counts one call; 'before': the agent dies without making it, 'after': it is made and nobody hears. */
  #fate(): 'lives' | 'before' | 'after' {
    if (this.#doom === null) return 'lives';
    const { after, done } = this.#doom;
    if (after > 0) {
      this.#doom = { after: after - 1, done };
      return 'lives';
    }
    this.#doom = null;
    return done ? 'after' : 'before';
  }

  /** The clock of this life: timers die with it. */
  clock(of: Clock): Clock {
    const after = (delayMs: number, fire: () => void): Timer =>
      this.alive ? of.after(delayMs, () => void (this.alive && fire())) : { clear() {} };
    return { monotonicMs: () => of.monotonicMs(), wallMs: () => of.wallMs(), after };
  }

  /** The kernel as this life sees it. */
  kernel(of: KernelFs, clock: Clock, check: WriteCheck, slowness: Slowness): KernelFs {
    const call = async <T>(what: string, make: () => Promise<T>): Promise<T> => {
      if (!this.alive) return never();
      const fate = this.#fate();
      if (fate === 'before') this.end();
      if (!this.alive) return never();
      const open: OpenCall = { what, sinceMs: clock.monotonicMs() };
      this.openCalls.add(open);
      const waitMs = slowness(what);
      this.waitedMs += waitMs;
      if (waitMs > 0) await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
      if (!this.alive) return never();
      const made = make();
      if (fate === 'after') this.end();
      const answer = await made;
      this.openCalls.delete(open);
      return this.alive ? answer : never();
    };
    return {
      read: (path, options) => call(`read ${path}`, () => of.read(path, options)),
      list: (path, options) => call(`list ${path}`, () => of.list(path, options)),
      readLink: (path, options) => call(`readLink ${path}`, () => of.readLink(path, options)),
      readLinks: (path, options) => call(`readLinks ${path}`, () => of.readLinks(path, options)),
      exists: (path, options) => call(`exists ${path}`, () => of.exists(path, options)),
      write: (path, data, options) =>
        call(`write ${path}`, () => {
          check(path, data);
          return of.write(path, data, options);
        }),
      changes: (listener) => {
        const watch = of.changes((hint) => void (this.alive && listener(hint)));
        this.#watches.add(watch);
        return watch;
      },
    };
  }

  /** Record operations of this life: they count as calls, and `next` may refuse them. */
  recordFaults(next: () => RecordFault): (point: RecordFaultPoint) => RecordFault {
    return (point) => {
      if (!this.alive) return 'stopped';
      const fate = this.#fate();
      if (fate !== 'lives') {
        this.end();
        return 'stopped';
      }
      return point.moment === 'before-durable' && point.operation !== 'load' ? next() : 'none';
    };
  }
}
