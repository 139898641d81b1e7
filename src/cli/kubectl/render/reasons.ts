// Reasons as lines: one by one for a group, gathered by kind for many.
import type { Obstacle } from '../../../kubectl/obstacles.ts';
import type { GroupExplanation } from '../../../kubectl/explain-group.ts';
import type { Paint } from '../../render/paint.ts';
import { ageText } from './age.ts';

/** Each blocker with its evidence and what to do. */
export function blockerLines(
  blockers: GroupExplanation['blockers'],
  paint: Paint,
  nowMs: number,
): readonly string[] {
  return blockers.flatMap(({ kind, address, message, evidence, remedy, since }, index) => {
    const indent = ' '.repeat(String(index + 1).length + 4);
    return [
      `  ${index + 1}. ${paint('bad', kind)} (${address}): ${message}`,
      `${indent}${paint('dim', 'evidence')}  ${evidence.path} says "${evidence.says}"`,
      `${indent}${paint('dim', 'remedy')}    ${remedy}`,
      `${indent}${paint('dim', 'since')}     ${ageText(since, nowMs)} ago`,
    ];
  });
}

/** Names of groups; the rest of many is counted. */
export function someOf(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** Each thing that keeps groups, with what to do. */
export function obstacleLines(obstacles: readonly Obstacle[], paint: Paint): readonly string[] {
  return obstacles.flatMap(({ kind, remedy, groups }) => [
    `  ${paint('bad', kind)} keeps ${groups.length === 1 ? 'one group' : `${groups.length} groups`}: ${someOf(groups)}`,
    `    ${paint('dim', 'remedy')}  ${remedy}`,
  ]);
}
