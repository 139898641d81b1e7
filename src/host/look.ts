// Close looks: the details of every member, who is inside, and every use, from one search for all groups asked for.
import type { KernelFs } from '../kernel/fs.ts';
import type { GroupLook } from '../ownership/look.ts';
import type { PciAddress } from '../pci/address.ts';
import type { MemberDetail } from '../pci/function.ts';
import { endpoints, type GroupKey, type IommuGroup, pciFunctions } from '../pci/group.ts';
import type { Inventory } from '../pci/inventory.ts';
import { driverNamesOnce, readDetail } from './details.ts';
import { lookInside } from './inside.ts';
import type { HostUse } from '../ownership/use.ts';
import type { SharedSearch } from './survey/shared.ts';
import type { Survey } from './survey/survey.ts';
import { findAllUses } from './uses/all.ts';

/** What one search for uses found. */
export interface FoundUses {
  readonly survey: Survey;
  readonly uses: ReadonlyMap<PciAddress, readonly HostUse[]>;
}

/** Searches for every use of the survey's targets. */
export async function searchUses(survey: Survey): Promise<FoundUses> {
  return { survey, uses: Map.groupBy(await findAllUses(survey), (use) => use.address) };
}

/** What looks are made with. */
export interface LookParts {
  readonly kernel: KernelFs;
  readonly uses: SharedSearch<FoundUses>;
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
  const [details, { survey, uses }] = await Promise.all([
    readDetails(parts, groups),
    parts.uses.search(groups.flatMap(endpoints)),
  ]);
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
  const driverNames = driverNamesOnce(parts.kernel);
  const details = new Map<PciAddress, MemberDetail>();
  for (let at = 0; at < functions.length; at += detailsAtOnce) {
    const some = functions.slice(at, at + detailsAtOnce);
    const read = await Promise.all(
      some.map((fn) => readDetail(parts.kernel, fn, driverNames, parts.skipLocked.has(fn.address))),
    );
    for (const detail of read) details.set(detail.address, detail);
  }
  return details;
}
