// Where there is something free of a resource, and what is known against its being used there. Pure.
import { groupBy } from '../base/group-by.ts';
import { nodeOf } from './group-facts.ts';
import type { KubeNode, SeenGroup, SeenNode } from './seen.ts';

/** What a node has of one resource. */
export interface NodeSupply {
  readonly node: string;
  /** Groups that nobody has and the next pod may. */
  readonly free: number;
  /** Why the scheduler or the kubelet does not use them all the same; empty: nothing is known against it. */
  readonly against: readonly string[];
}

interface Nodes {
  readonly passthroughNodes: readonly SeenNode[];
  /** Null: they may not be looked at. */
  readonly nodes: readonly KubeNode[] | null;
}

function agentSays(own: SeenNode | undefined, resourceName: string): readonly string[] {
  const resources = own?.status?.resources ?? [];
  const resource = resources.find((each) => each.resourceName === resourceName);
  return resource?.registered === 'No' ? ['the kubelet has not registered the resource'] : [];
}

function nodeSays({ spec, status }: KubeNode, resourceName: string, free: number): string[] {
  const { conditions = [], allocatable = {} } = status ?? {};
  const ready = conditions.find(({ type }) => type === 'Ready')?.status ?? 'True';
  const counted = Number(allocatable[resourceName] ?? 0);
  return [
    ...(spec?.unschedulable === true ? ['the Node is cordoned'] : []),
    ...(ready === 'True' ? [] : ['the Node is not ready']),
    ...(counted < free ? [`the kubelet counts ${counted} of it`] : []),
  ];
}

/** Nodes with free groups of a resource, those with most first. */
export function supplyOf(
  resourceName: string,
  free: readonly SeenGroup[],
  { passthroughNodes, nodes }: Nodes,
): readonly NodeSupply[] {
  const named = ({ metadata }: SeenNode | KubeNode, name: string): boolean =>
    metadata.name === name;
  return [...groupBy(free, nodeOf)]
    .map(([node, groups]) => {
      const own = passthroughNodes.find((each) => named(each, node));
      const known = nodes?.find((each) => named(each, node));
      const missing = nodes === null ? [] : ['there is no such Node'];
      const said = known === undefined ? missing : nodeSays(known, resourceName, groups.length);
      return { node, free: groups.length, against: [...agentSays(own, resourceName), ...said] };
    })
    .sort((a, b) => b.free - a.free || (a.node < b.node ? -1 : 1));
}
