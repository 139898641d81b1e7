// The status of a PassthroughPolicy object, made from counts. Pure: what has not changed comes out the same.
import { type Condition, type ConditionNow, setConditions } from '../api/condition.ts';
import type { PolicyStatus } from '../api/passthrough-policy.ts';
import { apiTime } from '../cluster/objects.ts';
import type { PolicyCounts } from './tally.ts';

/** What a status is made from. */
export interface PolicyReport {
  readonly name: string;
  readonly generation: number;
  /** Why the object is not in force anywhere; null: it is valid. */
  readonly invalid: string | null;
  readonly counts: PolicyCounts;
  /** Nodes that nodeSelector selects. */
  readonly nodesSelected: number;
}

const namesMax = 100;
const conflictsMax = 64;
const messageMax = 4096;

/** The status. `before`: the one that was made last, or that the server has; times in it are kept. */
export function policyStatus(
  report: PolicyReport,
  before: PolicyStatus | null,
  nowMs: number,
): PolicyStatus {
  const { counts, generation, nodesSelected } = report;
  const { matched, offered, assigned, blocked, faulted, nodeNames, offeringNodes } = counts;
  const conflicts = conflictsOf(report);
  const next = [readiness(report), conflicting(conflicts)].map((each) => ({
    ...each,
    message: each.message.slice(0, messageMax),
    observedGeneration: generation,
  }));
  const earlier = (before?.conditions ?? []) as readonly Condition[];
  return {
    observedGeneration: generation,
    groups: { matched, offered, assigned, blocked, faulted },
    nodes: {
      selected: nodesSelected,
      offering: offeringNodes,
      names: nodeNames.slice(0, namesMax),
    },
    conflicts,
    conditions: setConditions(earlier, next, apiTime(nowMs)),
  };
}

type Conflicts = NonNullable<PolicyStatus['conflicts']>;

function conflictsOf({ name, counts }: PolicyReport): Conflicts {
  return [...counts.conflicts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([policy, { won, lost }]) => [
      ...(won > 0 ? [{ policy, groups: won, winner: name }] : []),
      ...(lost > 0 ? [{ policy, groups: lost, winner: policy }] : []),
    ])
    .slice(0, conflictsMax);
}

function readiness({ invalid, counts, nodesSelected }: PolicyReport): ConditionNow {
  const no = (reason: string, message: string): ConditionNow => ({
    ...{ type: 'Ready', status: 'False', reason, message },
  });
  if (invalid !== null) return no('Invalid', invalid);
  const { matched, offered, assigned, blocked, faulted } = counts;
  if (offered > 0 || assigned > 0)
    return { type: 'Ready', status: 'True', reason: 'Offered', message: '' };
  if (nodesSelected === 0) return no('NoNode', 'nodeSelector selects no node');
  if (matched === 0) return no('NoMatch', 'no group of the selected nodes has such a device');
  const lost = [...counts.conflicts.values()].reduce((sum, each) => sum + each.lost, 0);
  if (lost === matched) return no('Outranked', 'other policies have all of its groups');
  if (faulted > 0) return no('Faulted', `${faulted} of ${matched} groups need a person`);
  return no('Blocked', `${blocked} of ${matched} groups are blocked: see their IOMMUGroup objects`);
}

function conflicting(conflicts: Conflicts): ConditionNow {
  const [first] = conflicts;
  if (first === undefined)
    return { type: 'Conflicting', status: 'False', reason: 'NoConflict', message: '' };
  const texts = conflicts.map(
    ({ policy, groups, winner }) =>
      `${groups} groups are selected by ${policy} too; ${winner} has them`,
  );
  const reason = conflicts.some(({ policy, winner }) => policy === winner)
    ? 'Outranked'
    : 'Outranks';
  return { type: 'Conflicting', status: 'True', reason, message: texts.join('; ') };
}
