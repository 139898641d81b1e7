// The whole cluster as a tree: nodes, their groups, the functions of those. Pure.
import { groupBy } from '../base/group-by.ts';
import { findCondition } from '../api/condition.ts';
import { type GroupFacts, groupFacts, type LeasePod, nodeOf } from './group-facts.ts';
import { whyOf } from './group-state.ts';
import type { SeenGroup, SeenNode } from './seen.ts';

/** One group of a node. */
export interface TreeGroup extends GroupFacts {
  readonly why: string;
  readonly cordoned: boolean;
  readonly pod: LeasePod | null;
  /** Since when the pod has it (RFC 3339). */
  readonly since: string | null;
}

/** One node. */
export interface TreeNode {
  readonly name: string;
  readonly ready: 'True' | 'False' | 'Unknown';
  /** Why it is not ready; empty when it is. */
  readonly message: string;
  readonly kernelRelease: string | null;
  readonly groups: readonly TreeGroup[];
}

/** The cluster. */
export interface ClusterTree {
  readonly nodes: readonly TreeNode[];
}

/** Which part of it is wanted. */
export interface TreeFilter {
  /** Only groups that pods of this namespace have. */
  readonly namespace?: string;
  /** Only groups that are offered as this. */
  readonly resourceName?: string;
}

function treeGroup(group: SeenGroup): TreeGroup {
  const lease = group.status?.lease;
  return {
    ...groupFacts(group),
    why: whyOf(group),
    cordoned: group.spec?.cordoned === true,
    pod: lease?.pod ?? null,
    since: lease?.since ?? null,
  };
}

function treeNode(
  name: string,
  node: SeenNode | undefined,
  groups: readonly SeenGroup[],
): TreeNode {
  const ready = findCondition(node?.status?.conditions ?? [], 'Ready');
  return {
    name,
    ready: ready?.status ?? 'Unknown',
    message: ready === null ? 'no agent has told of this node' : ready.message,
    kernelRelease: node?.status?.kernelRelease ?? null,
    groups: groups.map(treeGroup).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** The tree of these objects. A filter leaves out groups, and nodes that have none left. */
export function clusterTree(
  nodes: readonly SeenNode[],
  groups: readonly SeenGroup[],
  filter: TreeFilter = {},
): ClusterTree {
  const { namespace, resourceName } = filter;
  const kept = groups.filter(
    ({ status }) =>
      (namespace === undefined || status?.lease?.pod?.namespace === namespace) &&
      (resourceName === undefined || status?.resourceName === resourceName),
  );
  const filtered = namespace !== undefined || resourceName !== undefined;
  const byNode = groupBy(kept, nodeOf);
  const known = new Map(nodes.map((node) => [node.metadata.name, node]));
  const names = filtered ? byNode.keys() : new Set([...known.keys(), ...byNode.keys()]);
  return {
    nodes: [...names].sort().map((name) => treeNode(name, known.get(name), byNode.get(name) ?? [])),
  };
}
