// One search at a time. Those that come while one runs are served together by the next: a search walks over every
// process, and costs the same for one function as for a hundred. Nothing is kept from one search to the next.
import type { PciFunction } from '../../pci/function.ts';
import { Survey, type SurveyParts } from './survey.ts';

interface Waiting<Found> {
  readonly targets: readonly PciFunction[];
  readonly resolve: (searched: Promise<Found>) => void;
}

/** The searches of one kind on one host. */
export class SharedSearch<Found> {
  readonly #parts: Omit<SurveyParts, 'targets'>;
  readonly #find: (survey: Survey) => Promise<Found>;
  #waiting: Waiting<Found>[] = [];
  #running = false;

  constructor(parts: Omit<SurveyParts, 'targets'>, find: (survey: Survey) => Promise<Found>) {
    this.#parts = parts;
    this.#find = find;
  }

  /** Searches for `targets`, and perhaps for others. The search begins after this call: what it finds is not older. */
  search(targets: readonly PciFunction[]): Promise<Found> {
    return new Promise((resolve) => {
      this.#waiting.push({ targets, resolve });
      if (this.#running) return;
      this.#running = true;
      // Searches that begin in the same turn go together.
      queueMicrotask(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const served = this.#waiting;
      this.#waiting = [];
      const functions = served.flatMap(({ targets }) => targets);
      // Of a function that several ask for, the facts that were read last.
      const targets = [...new Map(functions.map((fn) => [fn.address, fn])).values()];
      const searched = this.#find(new Survey({ ...this.#parts, targets }));
      for (const { resolve } of served) resolve(searched);
      await searched.catch(() => undefined);
    }
    this.#running = false;
  }
}
