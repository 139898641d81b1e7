// What is shown of a group wherever it is shown, with nothing missing: null where its agent has not told. Pure.
import { type GroupStatus, nodeLabel } from '../api/iommu-group.ts';
import { type GroupState, groupState } from './group-state.ts';
import type { SeenGroup } from './seen.ts';

/** A pod that has a group. */
export type LeasePod = NonNullable<NonNullable<GroupStatus['lease']>['pod']>;

/** One group. */
export interface GroupFacts {
  /** Name of the IOMMUGroup object. */
  readonly name: string;
  readonly node: string;
  readonly leader: string;
  readonly groupNumber: number | null;
  readonly resourceName: string | null;
  readonly policy: string | null;
  readonly owner: GroupStatus['owner'] | null;
  readonly phase: GroupStatus['phase'] | null;
  readonly state: GroupState;
  readonly functions: GroupStatus['members'];
}

const untold = {
  ...{ nodeName: null, leader: '', groupNumber: null, resourceName: null, policy: null },
  ...{ owner: null, phase: null, members: [] },
};

/** The facts of a group. */
export function groupFacts(group: SeenGroup): GroupFacts {
  const { metadata, status } = group;
  const { leader, groupNumber, resourceName, policy, owner, phase, members } = {
    ...untold,
    ...status,
  };
  return {
    ...{ name: metadata.name, node: nodeOf(group), state: groupState(group) },
    ...{ leader, owner, phase, functions: members },
    groupNumber: groupNumber ?? null,
    resourceName: resourceName ?? null,
    policy: policy ?? null,
  };
}

/** The node that a group is of. */
export function nodeOf({ metadata, status }: SeenGroup): string {
  return status?.nodeName ?? metadata.labels?.[nodeLabel] ?? '';
}

/** A pod as people write it. */
export function podText({ namespace, name }: Pick<LeasePod, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
