// One close look at every group of a machine, for inspect and explain. Reads only.
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { GroupLook } from '../ownership/look.ts';
import { createHost } from '../host/create-host.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { Inventory, NodeFacts } from '../pci/inventory.ts';

/** Everything that one look told. */
export interface MachineLook {
  readonly node: NodeFacts;
  readonly inventory: Inventory;
  /** One for each group, in the order of the inventory. */
  readonly looks: readonly GroupLook[];
}

/** Looks at the whole machine. */
export async function lookAtMachine(
  kernel: KernelFs,
  context: { readonly clock: Clock; readonly log: Log },
): Promise<MachineLook> {
  const host = createHost({ kernel, ...context });
  const node = await host.facts();
  const inventory = await host.inventory();
  const looks = await host.look(
    inventory,
    inventory.groups.map((group) => group.key),
  );
  return { node, inventory, looks };
}
