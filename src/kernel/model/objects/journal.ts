// Every write that reached the kernel, with its time and what came of it: for the checkers of the simulation.
import type { Settled } from '../../fs.ts';

/** One write(2). `settled` is null while it is still in the kernel. */
export interface JournalEntry {
  readonly sequence: number;
  readonly startMs: number;
  readonly pid: number;
  readonly path: string;
  readonly data: string;
  endMs: number | null;
  settled: Settled<number> | null;
}

/** Keeps the last writes, up to a limit that bounds memory in long runs. */
export class Journal {
  readonly #limit: number;
  #entries: JournalEntry[] = [];
  #sequence = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Notes the start of a write. */
  begin(entry: Pick<JournalEntry, 'startMs' | 'pid' | 'path' | 'data'>): JournalEntry {
    const made: JournalEntry = { ...entry, sequence: ++this.#sequence, endMs: null, settled: null };
    this.#entries.push(made);
    if (this.#entries.length > this.#limit) this.#entries = this.#entries.slice(-this.#limit / 2);
    return made;
  }

  /** All that is kept, oldest first. */
  entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Writes that are still in the kernel. */
  inFlight(): readonly JournalEntry[] {
    return this.#entries.filter((entry) => entry.settled === null);
  }

  /** Forgets what is over. */
  clear(): void {
    this.#entries = this.#entries.filter((entry) => entry.settled === null);
  }
}
