// The status of an IOMMUGroup object, made from what the agent publishes about the group. Pure: what has not changed
// comes out the same, so that a steady state writes nothing.
import { type Condition, type ConditionNow, setConditions } from '../../api/condition.ts';
import type { GroupStatus } from '../../api/iommu-group.ts';
import { apiTime } from '../../cluster/objects.ts';
import type { Blocker } from '../../ownership/blockers.ts';
import { className } from '../../pci/class-names.ts';
import type { GroupView, MemberView } from '../view.ts';
import { within } from './texts.ts';

/** Items of a list in a status; a group with more members than this is told by its first ones. */
const itemsMax = 256;
const proseMax = 4096;
const wordMax = 1024;

/** What a status is made from besides the group. */
export interface StatusContext {
  readonly nodeName: string;
  /** Milliseconds since 1970: for what is new. */
  readonly nowMs: number;
  /** Generation of the object's spec that was looked at; null while there is no object. */
  readonly generation: number | null;
}

/** Mixed where it must not be: on the way between host and pod every group is. */
export function isMixed({ owner, phase }: GroupView): boolean {
  return owner === 'Mixed' && phase !== 'Claiming' && phase !== 'Returning';
}

/** The status of a group. `before`: the one that was made last, or that the server has; times in it are kept. */
export function groupStatus(
  view: GroupView,
  before: GroupStatus | null,
  context: StatusContext,
): GroupStatus {
  const { groupNumber, resourceName, policyName, lease, fault, numaNodes } = view;
  const [numaNode] = numaNodes;
  return {
    ...(context.generation === null ? {} : { observedGeneration: context.generation }),
    nodeName: context.nodeName,
    ...(groupNumber === null ? {} : { groupNumber }),
    leader: view.leader,
    ...(resourceName === null ? {} : { resourceName }),
    ...(policyName === null ? {} : { policy: policyName }),
    ...(numaNode === undefined ? {} : { numaNode }),
    owner: view.owner,
    phase: view.phase,
    members: view.members.slice(0, itemsMax).map(memberOf),
    blockers: blockersOf(view, before, apiTime(context.nowMs)),
    ...(lease === null
      ? {}
      : {
          lease: {
            ...(lease.pod === null ? {} : { pod: podOf(lease.pod) }),
            since: apiTime(Date.parse(lease.since)),
          },
        }),
    ...(fault === null
      ? {}
      : { fault: { reason: fault.reason, message: within(fault.message, proseMax) } }),
    ...(view.passed.length === 0 ? {} : { passed: passedOf(view) }),
    summary: summaryOf(view),
    conditions: conditionsOf(view, before, context),
  };
}

type StatusMember = GroupStatus['members'][number];

function memberOf(member: MemberView): StatusMember {
  const given = {
    vendor: member.vendor,
    device: member.device,
    class: member.classCode,
    description: member.classCode === '' ? '' : className(member.classCode),
    driver: member.driver,
    originalDriver: member.originalDriver,
    vfioDevice: member.vfioDevice,
  };
  const known = Object.entries(given).filter(([, value]) => value !== null && value !== '');
  return { address: member.address, role: member.role, ...Object.fromEntries(known) };
}

type StatusPod = NonNullable<NonNullable<GroupStatus['lease']>['pod']>;

function podOf(pod: NonNullable<NonNullable<GroupView['lease']>['pod']>): StatusPod {
  const { namespace, name, uid, container } = pod;
  return { namespace, name, ...(uid === null ? {} : { uid }), ...(container ? { container } : {}) };
}

function blockersOf(
  { blockers }: GroupView,
  before: GroupStatus | null,
  now: string,
): GroupStatus['blockers'] {
  const since = new Map(before?.blockers.map((each) => [`${each.kind} ${each.address}`, each]));
  return blockers.slice(0, itemsMax).map((blocker: Blocker) => ({
    kind: blocker.kind,
    address: within(blocker.address, wordMax),
    message: within(blocker.message, proseMax),
    evidence: {
      path: within(blocker.evidence.path, wordMax),
      says: within(blocker.evidence.says, proseMax),
    },
    remedy: within(blocker.remedy, proseMax),
    since: since.get(`${blocker.kind} ${blocker.address}`)?.since ?? now,
  }));
}

function passedOf({ passed }: GroupView): NonNullable<GroupStatus['passed']> {
  return passed.slice(0, 64).map(({ policyName, why, message }) => ({
    policy: policyName,
    reason: why,
    message: within(message, proseMax),
  }));
}

function summaryOf(view: GroupView): GroupStatus['summary'] {
  const { leader, members, blockers, fault, lease } = view;
  const pod = lease?.pod ?? null;
  return {
    devices: members.length > 1 ? `${leader} +${members.length - 1}` : leader,
    why: within(fault?.reason ?? blockers[0]?.kind ?? '', 256),
    pod: pod === null ? '<none>' : within(`${pod.namespace}/${pod.name}`, wordMax),
  };
}

/** Releasable: nothing holds the group, or it is ours already. Offered: the kubelet hears Healthy. Healthy: no fault, not mixed. */
function conditionsOf(
  view: GroupView,
  before: GroupStatus | null,
  { nowMs, generation }: StatusContext,
): GroupStatus['conditions'] {
  const [blocker] = view.blockers;
  const why = within(view.why ?? '', proseMax);
  const held = blocker !== undefined;
  const ill = view.fault !== null || isMixed(view);
  const offered = view.healthy && view.resourceName !== null;
  const found: readonly ConditionNow[] = [
    held
      ? { type: 'Releasable', status: 'False', reason: blocker.kind, message: blocker.message }
      : { type: 'Releasable', status: 'True', reason: 'NoBlockers', message: '' },
    offered
      ? { type: 'Offered', status: 'True', reason: 'Offered', message: '' }
      : { type: 'Offered', status: 'False', reason: blocker?.kind ?? 'NotOffered', message: why },
    ill
      ? { type: 'Healthy', status: 'False', reason: view.fault?.reason ?? 'Mixed', message: why }
      : { type: 'Healthy', status: 'True', reason: 'Healthy', message: '' },
  ];
  const observed = generation === null ? {} : { observedGeneration: generation };
  const next = found.map((each) => ({
    ...each,
    message: within(each.message, proseMax),
    ...observed,
  }));
  const earlier = (before?.conditions ?? []) as readonly Condition[];
  return setConditions(earlier, next, apiTime(nowMs));
}
