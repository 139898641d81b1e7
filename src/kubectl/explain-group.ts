// One group explained: who has it, whether the next pod may have it, and every reason why not. Pure.
import { findCondition } from '../api/condition.ts';
import type { GroupStatus } from '../api/iommu-group.ts';
import { type GroupFacts, groupFacts, podText } from './group-facts.ts';
import type { GroupState } from './group-state.ts';
import type { SeenGroup } from './seen.ts';

/** What there is to say about a group. */
export interface GroupExplanation extends GroupFacts {
  readonly kind: 'group';
  /** True when nothing is wrong: it is offered, or a pod has it. */
  readonly well: boolean;
  /** The function that was asked for; null: the group was. */
  readonly address: string | null;
  /** In one sentence. */
  readonly answer: string;
  /** Why a person took it out of service; null: nobody did. */
  readonly cordoned: { readonly reason: string } | null;
  readonly lease: GroupStatus['lease'] | null;
  readonly blockers: GroupStatus['blockers'];
  readonly passed: NonNullable<GroupStatus['passed']>;
}

function holderText({ lease }: GroupStatus): string {
  if (lease?.pod === undefined) return 'a pod that is not known yet';
  const container = lease.pod.container === undefined ? '' : ` (container ${lease.pod.container})`;
  return `pod ${podText(lease.pod)}${container}`;
}

function faultText(status: GroupStatus): string {
  const healthy = findCondition(status.conditions ?? [], 'Healthy');
  const { reason, message } = status.fault ?? healthy ?? { reason: 'Unknown', message: '' };
  const held = status.phase === 'Assigned' ? ` ${holderText(status)} still has it.` : '';
  return `It needs a person: ${reason}: ${message}.${held}`;
}

function idleText({ policy, conditions }: GroupStatus): string {
  if (policy === undefined) return 'It is not offered: no policy selects it.';
  const message = findCondition(conditions ?? [], 'Offered')?.message;
  return `It is not offered${message ? `: ${message}` : ''}.`;
}

function answerOf(status: GroupStatus, state: GroupState): string {
  switch (state) {
    case 'assigned':
      return `It is out: ${holderText(status)} has it.`;
    case 'offered':
      return `It is offered as ${status.resourceName}: the next pod that asks may have it.`;
    case 'moving':
      return status.phase === 'Claiming'
        ? `It is being taken from the host for ${holderText(status)}.`
        : 'It is being given back to the host.';
    case 'faulted':
      return faultText(status);
    case 'blocked': {
      const { length } = status.blockers;
      return `It is not offered, for ${length === 1 ? 'one reason' : `${length} reasons`}:`;
    }
    case 'idle':
    case 'unreported':
      return idleText(status);
  }
}

/** Explains a group; `address` is the function that was asked for. */
export function explainGroup(group: SeenGroup, address: string | null): GroupExplanation {
  const { spec, status } = group;
  const facts = groupFacts(group);
  const { state } = facts;
  const answer =
    status === undefined ? 'Its agent has not told of it yet.' : answerOf(status, state);
  return {
    ...facts,
    ...{ kind: 'group', address, answer },
    well: ['assigned', 'offered', 'moving'].includes(state),
    cordoned: spec?.cordoned === true ? { reason: spec.cordonReason ?? '' } : null,
    lease: status?.lease ?? null,
    blockers: status?.blockers ?? [],
    passed: status?.passed ?? [],
  };
}
