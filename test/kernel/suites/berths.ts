// Room for guests on the machine's cores: a guest takes a whole core, or half of one where it mostly waits.

/** How much of a core a guest keeps busy. */
export type Share = 0.5 | 1;

/** Cores, given to whoever comes first; who comes later waits, also where it would fit in. */
export class Berths {
  #free: number;
  readonly #waiting: { readonly share: Share; readonly come: () => void }[] = [];

  constructor(cores: number) {
    this.#free = cores;
  }

  /** Runs `guest` when there is room for it; what it returned or threw. */
  async with<T>(share: Share, guest: () => Promise<T>): Promise<T> {
    await new Promise<void>((come) => {
      this.#waiting.push({ share, come });
      this.#admit();
    });
    try {
      return await guest();
    } finally {
      this.#free += share;
      this.#admit();
    }
  }

  #admit(): void {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      if (next.share > this.#free) return;
      this.#free -= next.share;
      this.#waiting.shift();
      next.come();
    }
  }
}
