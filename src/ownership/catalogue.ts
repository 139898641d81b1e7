// Every reason why a group cannot be released now: what it means and what a person does about it.
// docs/reference/blockers.md is generated from this table.
import type { BlockerEntry } from './catalogue/entry.ts';
import { networkBlockers } from './catalogue/network.ts';
import { platformBlockers } from './catalogue/platform.ts';
import { seatsBlockers } from './catalogue/seats.ts';
import { storageBlockers } from './catalogue/storage.ts';
import { type StructuralBlockerKind, structuralBlockers } from './catalogue/structural.ts';
import type { HostUseKind } from './use.ts';

/** Any reason why a group cannot be released. */
export type BlockerKind = StructuralBlockerKind | HostUseKind;

/** Meaning and remedy of every kind; a kind without an entry does not compile. */
export const blockerCatalogue: Readonly<Record<BlockerKind, BlockerEntry>> = {
  ...structuralBlockers,
  ...storageBlockers,
  ...networkBlockers,
  ...seatsBlockers,
  ...platformBlockers,
};

/** Every kind there is, in the order of the documentation. */
export const blockerKinds = Object.keys(blockerCatalogue) as readonly BlockerKind[];

/** True for kinds that a policy may waive by name. */
export function isWaivable(kind: BlockerKind): boolean {
  return blockerCatalogue[kind].waivable;
}
