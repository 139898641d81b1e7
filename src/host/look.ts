// Close looks: the details of every member, who is inside, and every use, from one survey for all groups asked for.
import type { Clock } from '../base/clock.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { GroupLook } from '../ownership/look.ts';
import type { PciAddress } from '../pci/address.ts';
import type { MemberDetail } from '../pci/function.ts';
import { endpoints, type GroupKey, type IommuGroup, pciFunctions } from '../pci/group.ts';
import type { Inventory } from '../pci/inventory.ts';
import { readDetail } from './details.ts';
import { lookInside } from './inside.ts';
import { Survey } from './survey/survey.ts';
import { findAllUses } from './uses/all.ts';

/** What looks are made with. */
export interface LookParts {
  readonly kernel: KernelFs;
  readonly clock: Clock;
  readonly nodeAddresses: readonly string[];
  /** Functions with an operation pending in the kernel. */
  readonly skipLocked: ReadonlySet<PciAddress>;
}

/** Functions whose details are read at once: their files share messages to a lane. */
const detailsAtOnce = 64;

/** One look at each of `keys`, in their order; keys that the inventory does not have are left out. */
export async function lookAtGroups(
  parts: LookParts,
  inventory: Inventory,
  keys: readonly GroupKey[],
): Promise<readonly GroupLook[]> {
  const byKey = new Map(inventory.groups.map((group) => [group.key, group]));
  const groups = keys.map((key) => byKey.get(key)).filter((group) => group !== undefined);
  if (groups.length === 0) return [];
  const { kernel, clock, nodeAddresses } = parts;
  const targets = groups.flatMap(endpoints);
  const survey = new Survey({ kernel, clock, targets, nodeAddresses });
  const details = await readDetails(parts, groups);
  const uses = Map.groupBy(await findAllUses(survey), (use) => use.address);
  const looks: GroupLook[] = [];
  for (const group of groups) {
    const members = pciFunctions(group);
    looks.push({
      group,
      details: members
        .map((fn) => details.get(fn.address))
        .filter((detail) => detail !== undefined),
      uses: members.flatMap((fn) => uses.get(fn.address) ?? []),
      inside: await lookInside(survey, group),
    });
  }
  return looks;
}

async function readDetails(
  parts: LookParts,
  groups: readonly IommuGroup[],
): Promise<ReadonlyMap<PciAddress, MemberDetail>> {
  const functions = groups.flatMap(pciFunctions);
  const details = new Map<PciAddress, MemberDetail>();
  for (let at = 0; at < functions.length; at += detailsAtOnce) {
    const some = functions.slice(at, at + detailsAtOnce);
    const read = await Promise.all(
      some.map((fn) => readDetail(parts.kernel, fn, parts.skipLocked.has(fn.address))),
    );
    for (const detail of read) details.set(detail.address, detail);
  }
  return details;
}
