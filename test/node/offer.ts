// The policy of one group with more in its spec than on any other day: for scenes about what a policy can say.
import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import { policiesPath, policy } from '../cluster/stage/machine.ts';
import { type FlowGroup, policiesText } from '../kernel/guest/flow/groups.ts';
import type { NodeStage } from './node-stage.ts';

interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What the policy of a group says when nobody wants it otherwise. */
function usualSpec(group: FlowGroup): Policy['spec'] {
  const all = parseAllDocuments(policiesText()).map((each) => each.toJS() as Policy);
  const found = all.find(({ metadata }) => metadata.name === group.name);
  assert(found !== undefined, `no policy offers ${group.name}`);
  return found.spec;
}

/** Replaces the policy of a group; returns when the group is offered by the new one. */
async function offer(at: NodeStage, group: FlowGroup, spec: Policy['spec']): Promise<void> {
  await at.stage.remove(`${policiesPath}/${group.name}`);
  await at.stage.untilAllocatable(group.resource, 0);
  await at.stage.create(policiesPath, policy(group.name, spec));
  await at.stage.untilAllocatable(group.resource, 1);
}

/** Does something while the policy of a group says `more`. */
export async function whileOffered(
  at: NodeStage,
  group: FlowGroup,
  more: Policy['spec'],
  what: () => Promise<void>,
): Promise<void> {
  const usual = usualSpec(group);
  await at.stage.untilAllocatable(group.resource, 1);
  await offer(at, group, { ...usual, ...more });
  await what();
  await offer(at, group, usual);
}
