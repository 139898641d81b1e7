// One policy explained: what became of it, and what keeps its groups. Pure.
import { findCondition } from '../api/condition.ts';
import type { PolicyStatus } from '../api/passthrough-policy.ts';
import { countStates, type Obstacle, obstaclesOf, type StateCounts } from './obstacles.ts';
import type { SeenGroup, SeenPolicy } from './seen.ts';

/** What there is to say about a policy. */
export interface PolicyExplanation {
  readonly kind: 'policy';
  /** True when it offers something, or pods have all of it. */
  readonly well: boolean;
  readonly name: string;
  readonly resourceName: string | null;
  /** In one sentence. */
  readonly answer: string;
  readonly groups: StateCounts;
  readonly nodes: PolicyStatus['nodes'] | null;
  readonly obstacles: readonly Obstacle[];
  readonly conflicts: NonNullable<PolicyStatus['conflicts']>;
}

function answerOf({ metadata, status }: SeenPolicy, { offered, assigned }: StateCounts): string {
  if (status === undefined)
    return 'The controller has not told of it yet: is a pod of wholegroup-controller running?';
  const ready = findCondition(status.conditions ?? [], 'Ready');
  if (ready?.status === 'True') return `It is in force: ${offered} offered, ${assigned} with pods.`;
  const observed = status.observedGeneration < (metadata.generation ?? 0);
  const stale = observed ? ' This was said of an earlier version of it.' : '';
  return `It offers nothing: ${ready?.message || ready?.reason || 'nobody has said why'}.${stale}`;
}

/** Explains a policy; `groups`: all of the cluster. */
export function explainPolicy(policy: SeenPolicy, groups: readonly SeenGroup[]): PolicyExplanation {
  const { metadata, spec, status } = policy;
  const own = groups.filter((group) => group.status?.policy === metadata.name);
  const counts = countStates(own);
  return {
    kind: 'policy',
    well: findCondition(status?.conditions ?? [], 'Ready')?.status === 'True',
    name: metadata.name,
    resourceName: spec?.resourceName ?? null,
    answer: answerOf(policy, counts),
    groups: counts,
    nodes: status?.nodes ?? null,
    obstacles: obstaclesOf(own),
    conflicts: status?.conflicts ?? [],
  };
}
