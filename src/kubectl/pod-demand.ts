// What a pod asks for of what wholegroup offers. Pure.
import type { SeenGroup, SeenNode, SeenPod, SeenPolicy } from './seen.ts';

/** Quantities of extended resources are whole numbers. */
function amount(value: string | number | undefined): number {
  const parsed = Number(value ?? 0);
  return Number.isFinite(parsed) ? parsed : 0;
}

function asked(
  containers: NonNullable<NonNullable<SeenPod['spec']>['containers']>,
): readonly ReadonlyMap<string, number>[] {
  return containers.map(({ resources = {} }) => {
    // Limits are requests where an extended resource has no request of its own.
    const values = { ...resources.limits, ...resources.requests };
    return new Map(Object.entries(values).map(([name, value]) => [name, amount(value)]));
  });
}

/** Extended resources that a pod asks for, and how many of each: containers together, or the greediest init container. */
export function demandOf({ spec }: SeenPod): ReadonlyMap<string, number> {
  const total = new Map<string, number>();
  for (const each of asked(spec?.containers ?? []))
    for (const [name, count] of each) total.set(name, (total.get(name) ?? 0) + count);
  for (const each of asked(spec?.initContainers ?? []))
    for (const [name, count] of each) total.set(name, Math.max(total.get(name) ?? 0, count));
  const extended = [...total].filter(
    ([name, count]) => name.includes('/') && !name.startsWith('hugepages-') && count > 0,
  );
  return new Map(extended.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every name that something of wholegroup offers, or would. */
export function offeredNames(
  policies: readonly SeenPolicy[],
  groups: readonly SeenGroup[],
  nodes: readonly SeenNode[],
): ReadonlySet<string> {
  return new Set(
    [
      ...policies.map(({ spec }) => spec?.resourceName),
      ...groups.map(({ status }) => status?.resourceName),
      ...nodes.flatMap(({ status }) => status?.resources?.map((each) => each.resourceName) ?? []),
    ].filter((name) => name !== undefined),
  );
}
