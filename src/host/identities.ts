// Since when what a function is cannot have changed: a device comes only with a uevent, and every uevent has a number.
import type { PciFunction } from '../pci/function.ts';
import type { Inventory } from '../pci/inventory.ts';

/** Functions by the last uevent before they were read. Forgets a function with its object. */
export class Identities {
  readonly #readAt = new WeakMap<PciFunction, string>();

  /**
   * Takes an inventory that was begun when `number` was the last uevent's; null: unknown. What stands in it from an
   * earlier one keeps its number.
   */
  note(inventory: Inventory, number: string | null): void {
    if (number === null) return;
    for (const fn of inventory.functions) if (!this.#readAt.has(fn)) this.#readAt.set(fn, number);
  }

  /** Whether `fn` was read whole, and no uevent was sent since. */
  isSame(fn: PciFunction, number: string | null): boolean {
    const whole = fn.ids.known && fn.classCode.known && fn.numaNode.known;
    return whole && number !== null && this.#readAt.get(fn) === number;
  }
}
