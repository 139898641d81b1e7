// The status of a group that is cordoned and not there any more (no policy selects it, or its devices are gone): its
// object stays, because a cordon must outlive the group that it is about. Pure.
import { type Condition, setConditions } from '../../api/condition.ts';
import type { GroupStatus } from '../../api/iommu-group.ts';
import { apiTime } from '../../cluster/objects.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { StatusContext } from './group-status.ts';

const message =
  'no policy selects it, or its devices are gone; its object stays for the sake of its cordon';

/** The status. `before`: what was said of it last; times in it are kept. */
export function absentGroupStatus(
  leader: PciAddress,
  before: GroupStatus | null,
  { nodeName, nowMs, generation }: StatusContext,
): GroupStatus {
  const observed = generation === null ? {} : { observedGeneration: generation };
  const conditions = ['Releasable', 'Offered'].map((type) => ({
    ...{ type, status: 'False' as const, reason: 'Absent', message },
    ...observed,
  }));
  const kept = ((before?.conditions ?? []) as readonly Condition[]).filter(
    ({ type }) => type !== 'Healthy',
  );
  return {
    ...observed,
    ...{ nodeName, leader, owner: 'Kernel', phase: 'WithHost', members: [], blockers: [] },
    summary: { devices: leader, why: 'Cordoned', pod: '<none>' },
    conditions: setConditions(kept, conditions, apiTime(nowMs)),
  };
}
