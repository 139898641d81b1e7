// A pod explained, as lines: what it has, what Kubernetes says, and for each resource where it could come from.
import { type Demand, type PodExplanation, shortage } from '../../../kubectl/explain-pod.ts';
import type { Paint } from '../../render/paint.ts';
import { obstacleLines, someOf } from './reasons.ts';

function supplyLines({ supply }: Demand): readonly string[] {
  return supply.map(({ node, free, against }) => {
    const but = against.length === 0 ? '' : `; but ${against.join(', and ')}`;
    return `  ${free} free on ${node}${but}`;
  });
}

function demandLines(demand: Demand, paint: Paint): readonly string[] {
  const { resourceName, asked, policies, holders, obstacles } = demand;
  const short = shortage(demand);
  const head = `${paint('strong', resourceName)}: ${asked} asked for`;
  const lines = [short === null ? head : `${head}; ${paint('bad', short)}`];
  for (const { name, problem } of policies)
    if (problem !== null) lines.push(`  Policy ${name}: ${problem}`);
  lines.push(...supplyLines(demand));
  if (holders.length > 0) {
    const texts = holders.map(({ pod, group }) => `${pod} (${group})`);
    lines.push(`  ${holders.length} with pods: ${someOf(texts)}`);
  }
  return [...lines, ...obstacleLines(obstacles, paint)];
}

/** The lines; `answer` is painted already. */
export function podLines(pod: PodExplanation, answer: string, paint: Paint): readonly string[] {
  const where = pod.node === null ? '' : ` on ${pod.node}`;
  return [
    `${paint('strong', `${pod.namespace}/${pod.name}`)}: pod${where}, ${pod.phase}`,
    answer,
    ...pod.has.map(({ group, phase, resourceName }) =>
      `  ${group}  ${phase}  ${resourceName ?? ''}`.trimEnd(),
    ),
    ...pod.said.map(({ who, message }) => `The ${who} says: ${message}`),
    ...pod.demands.flatMap((demand) => demandLines(demand, paint)),
  ];
}
