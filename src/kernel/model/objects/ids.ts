// The kernel's IDA: numbers given lowest free first, and given again at once when freed.

/** Group numbers, vfioN indexes, nvme instances, ethN names. */
export class IdAllocator {
  readonly #taken = new Set<number>();
  /** No number below this is free. */
  #low = 0;

  /** The lowest free number, now taken. */
  take(): number {
    let id = this.#low;
    while (this.#taken.has(id)) id += 1;
    this.#taken.add(id);
    this.#low = id + 1;
    return id;
  }

  /** Takes this very number; false when it was taken already. */
  takeThis(id: number): boolean {
    if (this.#taken.has(id)) return false;
    this.#taken.add(id);
    return true;
  }

  /** Frees a number; freeing a free one is harmless. */
  give(id: number): void {
    this.#taken.delete(id);
    this.#low = Math.min(this.#low, id);
  }
}
