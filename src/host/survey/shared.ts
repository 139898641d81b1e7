// One search for uses at a time. Looks that come while one runs are served together by the next: a search walks over
// every process, and costs the same for one function as for a hundred. Nothing is kept from one search to the next.
import type { HostUse } from '../../ownership/use.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { PciFunction } from '../../pci/function.ts';
import { findAllUses } from '../uses/all.ts';
import { Survey, type SurveyParts } from './survey.ts';

/** What one search found. */
export interface Searched {
  readonly survey: Survey;
  readonly uses: ReadonlyMap<PciAddress, readonly HostUse[]>;
}

interface Waiting {
  readonly targets: readonly PciFunction[];
  readonly resolve: (searched: Promise<Searched>) => void;
}

/** The searches of one host. */
export class SharedSurveys {
  readonly #parts: Omit<SurveyParts, 'targets'>;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(parts: Omit<SurveyParts, 'targets'>) {
    this.#parts = parts;
  }

  /** Searches for uses of `targets`, and perhaps of others. The search begins after this call: what it finds is not older. */
  search(targets: readonly PciFunction[]): Promise<Searched> {
    return new Promise((resolve) => {
      this.#waiting.push({ targets, resolve });
      if (this.#running) return;
      this.#running = true;
      // Looks that begin in the same turn go together.
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
      const searched = this.#search(targets);
      for (const { resolve } of served) resolve(searched);
      await searched.catch(() => undefined);
    }
    this.#running = false;
  }

  async #search(targets: readonly PciFunction[]): Promise<Searched> {
    const survey = new Survey({ ...this.#parts, targets });
    return { survey, uses: Map.groupBy(await findAllUses(survey), (use) => use.address) };
  }
}
