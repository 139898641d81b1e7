// A KernelFs that answers one read, listing or link with an errno, and remembers what it was asked: for the test
// that no failure is ever silent.
import { readLinksOneByOne } from '../../src/kernel/folder-links.ts';
import type { KernelFs, Outcome } from '../../src/kernel/fs.ts';
import type { GroupLook } from '../../src/ownership/look.ts';
import type { Inventory } from '../../src/pci/inventory.ts';

/** One call that can be made to fail: `read /proc/swaps`. */
export type CallName = string;

/** `kernel`, with `failing` answered by EIO; every call that is made is added to `asked`. */
export function failingAt(
  kernel: KernelFs,
  failing: CallName | null,
  asked: Set<CallName>,
): KernelFs {
  const answer = <T>(name: CallName, call: () => Promise<Outcome<T>>): Promise<Outcome<T>> => {
    asked.add(name);
    return name === failing ? Promise.resolve({ kind: 'errno', errno: 'EIO' }) : call();
  };
  const single: Pick<KernelFs, 'list' | 'readLink'> = {
    list: (path, options) => answer(`list ${path}`, () => kernel.list(path, options)),
    readLink: (path, options) => answer(`link ${path}`, () => kernel.readLink(path, options)),
  };
  return {
    ...single,
    // Each link fails by itself.
    readLinks: (path, options) => readLinksOneByOne(single, path, options),
    read: (path, options) => answer(`read ${path}`, () => kernel.read(path, options)),
    exists: (path, options) => answer(`exists ${path}`, () => kernel.exists(path, options)),
    write: (path, data, options) => kernel.write(path, data, options),
    changes: (listener) => kernel.changes(listener),
  };
}

/** How many things an inventory and its looks say they do not know. */
export function unknownsIn(inventory: Inventory, looks: readonly GroupLook[]): number {
  let count = inventory.unreadable.length;
  const add = (fact: unknown): void => {
    if (typeof fact === 'object' && fact !== null && 'known' in fact && fact.known === false)
      count++;
  };
  for (const fn of inventory.functions) Object.values(fn).forEach(add);
  for (const { group, details, uses, inside } of looks) {
    Object.values(group).forEach(add);
    for (const member of group.members)
      if (member.kind === 'other') Object.values(member).forEach(add);
    for (const detail of details) Object.values(detail).forEach(add);
    count += uses.filter((use) => use.kind === 'UnknownUse').length;
    if (inside.kind === 'unknown') count++;
  }
  return count;
}
