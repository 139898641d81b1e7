// What may be different on the node since it was looked at: a few functions and groups, or anything. Computed from two
// fingerprints and from what hints are about; never from a hint alone that nothing is.
import { isPciAddress, type PciAddress } from './address.ts';

/** Where a change may have been. */
export type Changes =
  | {
      readonly kind: 'some';
      readonly functions: ReadonlySet<PciAddress>;
      /** Numbers of groups. */
      readonly groups: ReadonlySet<number>;
    }
  | { readonly kind: 'anything' };

/** What a poll saw of the node. Equal ones prove nothing. */
export interface Fingerprint {
  /**
   * What belongs to one function each, as text, by where it was read. A part that was not read again is the same object
   * as in the fingerprint before.
   */
  readonly parts: readonly ReadonlyMap<PciAddress, string>[];
  /** The same for groups, by their numbers. */
  readonly groups: readonly ReadonlySet<number>[];
  /** Everything else, as a digest. */
  readonly rest: string;
}

/** No function and no group. */
export const noChanges: Changes = { kind: 'some', functions: new Set(), groups: new Set() };

/** Whether nothing at all is in question. */
export function isNone(changes: Changes): boolean {
  return changes.kind === 'some' && changes.functions.size === 0 && changes.groups.size === 0;
}

/** Where either change may have been. */
export function bothChanges(a: Changes, b: Changes): Changes {
  if (a.kind === 'anything' || b.kind === 'anything') return { kind: 'anything' };
  if (isNone(a)) return b;
  if (isNone(b)) return a;
  return {
    kind: 'some',
    functions: a.functions.union(b.functions),
    groups: a.groups.union(b.groups),
  };
}

/** What is different between two fingerprints. */
export function changesBetween(before: Fingerprint, after: Fingerprint): Changes {
  if (before.rest !== after.rest || before.parts.length !== after.parts.length)
    return { kind: 'anything' };
  const functions = new Set<PciAddress>();
  for (const [at, part] of after.parts.entries()) {
    const earlier = before.parts[at];
    if (earlier === undefined || earlier === part) continue;
    for (const [address, text] of part) if (earlier.get(address) !== text) functions.add(address);
    for (const address of earlier.keys()) if (!part.has(address)) functions.add(address);
  }
  let groups: ReadonlySet<number> = new Set();
  for (const [at, numbers] of after.groups.entries()) {
    const earlier = before.groups[at] ?? new Set();
    if (earlier !== numbers) groups = groups.union(earlier.symmetricDifference(numbers));
  }
  return { kind: 'some', functions, groups };
}

/**
 * What a hint is about, by its subject: every function on the device's path (a disk behind VMD stands on two), or the
 * group whose file it is. A subject on neither may mean anything.
 */
export function changesOfSubject(subject: string | null): Changes {
  if (subject === null) return { kind: 'anything' };
  const group = /^(?:\/dev\/vfio|\/devices\/virtual\/vfio|\/kernel\/iommu_groups)\/(\d+)$/.exec(
    subject,
  );
  if (group !== null) {
    return { kind: 'some', functions: new Set(), groups: new Set([Number(group[1])]) };
  }
  const functions = functionsOnPath(subject);
  if (functions.length === 0) return { kind: 'anything' };
  return { kind: 'some', functions: new Set(functions), groups: new Set() };
}

/** Addresses of functions on a device's path, from the root down. */
export function functionsOnPath(path: string): readonly PciAddress[] {
  return path.split('/').filter(isPciAddress);
}
