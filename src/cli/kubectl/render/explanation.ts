// Explanations as lines: the answer first, then what it rests on, then what to do.
import type { GroupExplanation } from '../../../kubectl/explain-group.ts';
import type { NodeExplanation } from '../../../kubectl/explain-node.ts';
import type { PodExplanation } from '../../../kubectl/explain-pod.ts';
import type { PolicyExplanation } from '../../../kubectl/explain-policy.ts';
import type { StateCounts } from '../../../kubectl/obstacles.ts';
import type { Paint } from '../../render/paint.ts';
import { ageText } from './age.ts';
import { functionLines } from './functions.ts';
import { podLines } from './pod.ts';
import { blockerLines, obstacleLines } from './reasons.ts';

/** Any of them. */
export type Explanation = GroupExplanation | PolicyExplanation | NodeExplanation | PodExplanation;

function painted({ well, answer }: Explanation, paint: Paint): string {
  return paint(well ? 'good' : 'bad', answer);
}

function groupLines(group: GroupExplanation, paint: Paint, nowMs: number): readonly string[] {
  const { name, node, groupNumber, owner, phase, policy, resourceName, lease, cordoned } = group;
  const number = groupNumber === null ? 'not on the machine now' : `IOMMU group ${groupNumber}`;
  if (phase === null)
    return [`${paint('strong', name)}: a group of ${node}`, painted(group, paint)];
  const what = [`${number} of ${node}`, owner && `owner ${owner}`, `phase ${phase}`];
  const lines = [
    `${paint('strong', name)}: ${what.filter(Boolean).join(', ')}`,
    ...functionLines(group.functions, paint, group.address).map((line) => `  ${line}`),
  ];
  if (policy !== null) lines.push(`Policy ${policy} selects it for ${resourceName}.`);
  for (const passed of group.passed)
    lines.push(`Policy ${passed.policy} selects it too, and does not get it: ${passed.message}.`);
  const since = lease ? ` The lease is ${ageText(lease.since, nowMs)} old.` : '';
  lines.push(`${painted(group, paint)}${since}`);
  lines.push(...blockerLines(group.blockers, paint, nowMs));
  if (cordoned !== null) {
    const reason = cordoned.reason === '' ? '' : ` (${cordoned.reason})`;
    lines.push(
      `A person took it out of service${reason}: "kubectl wholegroup uncordon ${name}" puts it back.`,
    );
  }
  lines.push(paint('dim', `"kubectl wholegroup history ${name}" tells what happened to it.`));
  return lines;
}

function countsText(counts: StateCounts): string {
  const shown = Object.entries(counts).filter(([, count]) => count > 0);
  return shown.map(([state, count]) => `${count} ${state}`).join(', ') || 'none';
}

function policyLines(policy: PolicyExplanation, paint: Paint): readonly string[] {
  const { name, resourceName, nodes, conflicts } = policy;
  const lines = [
    `${paint('strong', name)}: policy for ${resourceName ?? 'no resource'}`,
    painted(policy, paint),
    `Groups: ${countsText(policy.groups)}.`,
  ];
  if (nodes) lines.push(`Nodes: ${nodes.selected} selected, ${nodes.offering} offering.`);
  for (const { policy: other, groups, winner } of conflicts) {
    const count = groups === 1 ? 'One group is' : `${groups} groups are`;
    lines.push(`${count} selected by policy ${other} too: ${winner} has them.`);
  }
  return [...lines, ...obstacleLines(policy.obstacles, paint)];
}

function nodeLines(node: NodeExplanation, paint: Paint): readonly string[] {
  const kernel = node.kernelRelease === null ? '' : `, Linux ${node.kernelRelease}`;
  return [
    `${paint('strong', node.name)}: node${kernel}`,
    painted(node, paint),
    ...node.missing.map(({ reason, message }) => `  ${paint('bad', reason)}: ${message}`),
    ...node.resources.map(({ resourceName, offered, registered }) => {
      const known = registered === 'Yes' ? '' : ', which the kubelet has not registered';
      return `Resource ${resourceName}: ${offered} offered${known}.`;
    }),
    `Groups: ${countsText(node.groups)}.`,
    ...obstacleLines(node.obstacles, paint),
  ];
}

/** One explanation. */
export function explanationLines(
  explanation: Explanation,
  paint: Paint,
  nowMs: number,
): readonly string[] {
  switch (explanation.kind) {
    case 'group':
      return groupLines(explanation, paint, nowMs);
    case 'policy':
      return policyLines(explanation, paint);
    case 'node':
      return nodeLines(explanation, paint);
    case 'pod':
      return podLines(explanation, painted(explanation, paint), paint);
  }
}
