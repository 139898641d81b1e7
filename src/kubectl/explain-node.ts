// One node explained: whether it can offer anything, and what keeps its groups. Pure.
import { findCondition } from '../api/condition.ts';
import type { NodeStatus } from '../api/passthrough-node.ts';
import { countStates, type Obstacle, obstaclesOf, type StateCounts } from './obstacles.ts';
import type { SeenGroup, SeenNode } from './seen.ts';

/** What there is to say about a node. */
export interface NodeExplanation {
  readonly kind: 'node';
  /** True when the machine and its agent are ready to offer. */
  readonly well: boolean;
  readonly name: string;
  readonly kernelRelease: string | null;
  /** In one sentence. */
  readonly answer: string;
  /** Conditions that do not hold: reason and what to do. */
  readonly missing: readonly { readonly reason: string; readonly message: string }[];
  readonly resources: NodeStatus['resources'];
  readonly groups: StateCounts;
  readonly obstacles: readonly Obstacle[];
}

/** Explains a node; `groups`: those of the node. */
export function explainNode(node: SeenNode, groups: readonly SeenGroup[]): NodeExplanation {
  const { metadata, status } = node;
  const conditions = status?.conditions ?? [];
  const ready = findCondition(conditions, 'Ready');
  const missing = conditions
    .filter((each) => each.type !== 'Ready' && each.status !== 'True')
    .map(({ reason, message }) => ({ reason, message }));
  const counts = countStates(groups);
  const answer =
    ready === null
      ? 'Its agent has not told of it yet.'
      : ready.status === 'True'
        ? `It is ready: ${counts.offered} offered, ${counts.assigned} with pods.`
        : `It is not ready: ${ready.message}.`;
  return {
    kind: 'node',
    well: ready?.status === 'True',
    name: metadata.name,
    kernelRelease: status?.kernelRelease ?? null,
    answer,
    missing,
    resources: status?.resources ?? [],
    groups: counts,
    obstacles: obstaclesOf(groups),
  };
}
