// One pod explained: which groups it has, or why it does not get what it asks for: what the scheduler says, where there
// are enough of each resource, who has the others, and what keeps the rest. Pure.
import { findCondition } from '../api/condition.ts';
import { nearest } from '../api/nearest.ts';
import { isFree } from './group-state.ts';
import { groupFacts, podText } from './group-facts.ts';
import { type Obstacle, obstaclesOf } from './obstacles.ts';
import { demandOf, offeredNames } from './pod-demand.ts';
import { saidAbout } from './pod-said.ts';
import { type NodeSupply, supplyOf } from './supply.ts';
import type { KubeNode, SeenGroup, SeenNode, SeenPod, SeenPolicy } from './seen.ts';

/** The cluster around a pod. */
export interface PodSurroundings {
  readonly policies: readonly SeenPolicy[];
  readonly groups: readonly SeenGroup[];
  readonly passthroughNodes: readonly SeenNode[];
  /** Null: they may not be looked at. */
  readonly nodes: readonly KubeNode[] | null;
}

/** How one resource of a pod stands. */
export interface Demand {
  readonly resourceName: string;
  readonly asked: number;
  /** Policies that offer it, with what is wrong with them; empty: none does. */
  readonly policies: readonly { readonly name: string; readonly problem: string | null }[];
  readonly supply: readonly NodeSupply[];
  /** Pods that have groups of it. */
  readonly holders: readonly { readonly group: string; readonly pod: string }[];
  readonly obstacles: readonly Obstacle[];
  /** A name that is offered and nearly this one; null: none is. */
  readonly meant: string | null;
}

/** What there is to say about a pod. */
export interface PodExplanation {
  readonly kind: 'pod';
  /** True when it has what it asks for, or asks for nothing. */
  readonly well: boolean;
  readonly namespace: string;
  readonly name: string;
  readonly node: string | null;
  readonly phase: string;
  /** In one sentence. */
  readonly answer: string;
  /** What Kubernetes says: the scheduler, the kubelet, the runtime. */
  readonly said: readonly { readonly who: string; readonly message: string }[];
  readonly has: readonly {
    readonly group: string;
    /** Null: not told yet. */
    readonly phase: string | null;
    readonly resourceName: string | null;
  }[];
  readonly demands: readonly Demand[];
}

function demand(resourceName: string, count: number, around: PodSurroundings): Demand {
  const groups = around.groups.filter(({ status }) => status?.resourceName === resourceName);
  const supply = supplyOf(resourceName, groups.filter(isFree), around);
  const policies = around.policies
    .filter(({ spec }) => spec?.resourceName === resourceName)
    .map(({ metadata, status }) => {
      const ready = findCondition(status?.conditions ?? [], 'Ready');
      return { name: metadata.name, problem: ready?.status === 'False' ? ready.message : null };
    });
  const holders = groups.flatMap(({ metadata, status }) => {
    const pod = status?.lease?.pod;
    return pod === undefined ? [] : [{ group: metadata.name, pod: podText(pod) }];
  });
  const names = offeredNames(around.policies, around.groups, around.passthroughNodes);
  const meant = names.has(resourceName) ? null : nearest(resourceName, [...names]);
  const obstacles = obstaclesOf(groups);
  return { resourceName, asked: count, policies, supply, holders, obstacles, meant };
}

const namespaceOf = ({ metadata }: SeenPod): string => metadata.namespace ?? 'default';

function groupsOf(own: SeenPod, groups: readonly SeenGroup[]): readonly SeenGroup[] {
  const { metadata } = own;
  return groups.filter(({ status }) => {
    const pod = status?.lease?.pod;
    return (
      pod?.name === metadata.name &&
      pod.namespace === namespaceOf(own) &&
      (pod.uid === undefined || metadata.uid === undefined || pod.uid === metadata.uid)
    );
  });
}

/** In a sentence, why a demand cannot be met; null: it can, as far as is known here. */
export function shortage({ resourceName, asked, policies, supply, meant }: Demand): string | null {
  if (policies.length === 0 && supply.length === 0)
    return `no policy offers ${resourceName}${meant === null ? '' : `; did you mean ${meant}?`}`;
  const enough = supply.filter(({ free }) => free >= asked);
  if (enough.some(({ against }) => against.length === 0)) return null;
  const [most] = supply;
  if (most === undefined) return `nothing of ${resourceName} is free`;
  if (enough.length === 0)
    return `${asked} of ${resourceName} on one node are asked for, and ${most.node} has most of it free: ${most.free}`;
  return `${resourceName} is free on ${enough.map(({ node }) => node).join(', ')}, and cannot be used there`;
}

/** Explains a pod. */
export function explainPod(pod: SeenPod, around: PodSurroundings): PodExplanation {
  const { metadata, spec, status } = pod;
  const names = offeredNames(around.policies, around.groups, around.passthroughNodes);
  const demands = [...demandOf(pod)].map(([name, count]) => demand(name, count, around));
  const ours = demands.filter(({ resourceName }) => names.has(resourceName));
  // What is not ours is somebody else's, unless it looks mistyped.
  const told = demands.filter((each) => ours.includes(each) || each.meant !== null);
  const has = groupsOf(pod, around.groups).map(groupFacts);
  const standing = {
    counted: ours.reduce((sum, { asked }) => sum + asked, 0),
    has: has.length,
    over: ['Succeeded', 'Failed'].includes(status?.phase ?? ''),
  };
  const ready =
    told.length === ours.length &&
    has.length >= standing.counted &&
    has.every(({ phase }) => phase === 'Assigned');
  return {
    kind: 'pod',
    well: ready && (standing.counted === 0 || !standing.over),
    namespace: namespaceOf(pod),
    name: metadata.name,
    node: spec?.nodeName ?? null,
    phase: status?.phase ?? 'Unknown',
    answer: answerOf({ ...standing, ready }, spec?.nodeName ?? null),
    said: saidAbout(pod),
    has: has.map(({ name: group, phase, resourceName }) => ({ group, phase, resourceName })),
    demands: ready || standing.over ? [] : told,
  };
}

function answerOf(
  { counted, has, ready, over }: { counted: number; has: number; ready: boolean; over: boolean },
  node: string | null,
): string {
  const groups = (count: number): string => (count === 1 ? 'one group' : `${count} groups`);
  if (counted === 0) return 'It asks for nothing that a policy of this cluster offers.';
  if (over) return `It asked for ${groups(counted)}, and is over.`;
  if (ready) return `It has ${groups(has)}, as it asks.`;
  if (node === null) return `It asks for ${groups(counted)}, and no node has been found for it.`;
  if (has === 0) return `It asks for ${groups(counted)} on ${node}, and has none yet.`;
  return `It asks for ${groups(counted)} on ${node}, and they are not all ready yet.`;
}
