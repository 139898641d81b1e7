// One group as the agent publishes it: to offers, to status objects, to metrics, to people. Made from the
// actor's state by a pure function; nobody else decides whether a group is healthy.
import type { GroupPhase } from '../api/iommu-group.ts';
import { defaultLeader, type IommuGroup, pciFunctions } from '../pci/group.ts';
import type { PciAddress } from '../pci/address.ts';
import { isBridge } from '../pci/function.ts';
import type { Blocker } from '../ownership/blockers.ts';
import type { Decision, FaultReason } from '../ownership/decide.ts';
import { type Owner, ownerOf } from '../ownership/owner.ts';
import type { GroupRecord, Lease, MemberRole } from '../ownership/record.ts';
import { roleOf } from '../ownership/verify.ts';
import type { Passed } from '../policy/match.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { GroupState } from './state.ts';

/** Phases as users see them. */
export type Phase = GroupPhase;

/** One member as users see it. */
export interface MemberView {
  readonly address: string;
  readonly vendor: string;
  readonly device: string;
  readonly classCode: string;
  readonly role: MemberRole | 'other';
  readonly driver: string | null;
  readonly originalDriver: string | null;
  readonly vfioDevice: string | null;
}

/** Why a group needs a person. */
export interface FaultView {
  readonly reason: FaultReason;
  readonly message: string;
}

/** One group, published. */
export interface GroupView {
  readonly leader: PciAddress;
  readonly groupNumber: number | null;
  readonly resourceName: ResourceName | null;
  readonly policyName: string | null;
  readonly owner: Owner;
  readonly phase: Phase;
  /** R1: what offers go by. */
  readonly healthy: boolean;
  /** What is wrong or holds it up, in one sentence; null when nothing is. Always given when it is not healthy. */
  readonly why: string | null;
  readonly blockers: readonly Blocker[];
  readonly fault: FaultView | null;
  readonly lease: Lease | null;
  readonly members: readonly MemberView[];
  readonly numaNodes: readonly number[];
  readonly passed: readonly Passed[];
  /** A step that is still blocked in the kernel. */
  readonly pending: readonly string[];
  /** A reset is due before the next tenant. */
  readonly resetDue: boolean;
}

/** The view of an actor's state. */
export function viewOf(state: GroupState): GroupView {
  const { record, seen } = state;
  const look = seen?.look ?? null;
  const group = look === null ? null : look.group;
  const fault = faultOf(state);
  const why = troubleOf(state, fault);
  return {
    leader: state.leader,
    groupNumber: group === null ? null : group.number,
    ...claimant(state),
    // A group of which nothing is seen has nobody inside and nothing on VFIO.
    owner: look === null ? 'Kernel' : ownerOf(look.group, look.inside),
    phase: phaseOf(record, fault),
    healthy: isHealthy(state, fault, why),
    why,
    blockers: state.blockers,
    fault,
    lease: record === null ? null : record.lease,
    members: membersOf(state, group),
    numaNodes: group === null ? [] : numaNodesOf(group),
    passed: seen === null ? [] : seen.passed,
    pending: [...state.pending].map(([address, what]) => `${what} ${address}`),
    resetDue: record !== null && record.resetDue,
  };
}

/** Under which name the group is offered: a claimed group keeps its name until it is back with the host. */
function claimant(state: GroupState): Pick<GroupView, 'resourceName' | 'policyName'> {
  const { record } = state;
  if (record !== null) {
    return { resourceName: record.resourceName as ResourceName, policyName: record.policyName };
  }
  const policy = state.seen?.match?.policy;
  if (policy === undefined) return { resourceName: null, policyName: null };
  return { resourceName: policy.resourceName, policyName: policy.name };
}

function phaseOf(record: GroupRecord | null, fault: FaultView | null): Phase {
  if (fault !== null) return 'Faulted';
  return record === null ? 'WithHost' : record.phase;
}

function faultOf(state: GroupState): FaultView | null {
  if (state.quarantined !== null) {
    const message = `its record could not be read (${state.quarantined.why}); it is kept as ${state.quarantined.path}`;
    return { reason: 'RecordUnreadable', message };
  }
  if (state.failure !== null && state.failure.attempts >= state.attemptsBeforeFault) {
    return { reason: state.failure.reason, message: state.failure.message };
  }
  return null;
}

/**
 * What the kubelet hears. A leased group stays healthy while its claim takes its time: calling it unhealthy
 * would take it out of allocatable while its pod's request is counted too, and so cost another pod its device.
 */
function isHealthy(state: GroupState, fault: FaultView | null, why: string | null): boolean {
  if (why === null) return true;
  if (fault !== null || state.record === null || state.record.lease === null) return false;
  switch (state.decision.kind) {
    case 'Degraded':
    case 'Fault':
      return false;
    case 'AwaitHolder':
      return state.blockers.length === 0;
    case 'Leave':
    case 'Take':
    case 'Settle':
    case 'Hold':
    case 'Return':
    case 'Finish':
    case 'Wait':
      return !state.stopping;
  }
}

/** Null: nothing is wrong. Otherwise what is, the first that applies. */
function troubleOf(state: GroupState, fault: FaultView | null): string | null {
  const { record, seen, decision } = state;
  if (fault !== null) return fault.message;
  if (state.stopping) return 'the agent is shutting down';
  const pending = [...state.pending][0];
  if (pending !== undefined && record?.phase !== 'Assigned') {
    return `${pending[1]} ${pending[0]} is still blocked in the kernel`;
  }
  if (state.failure !== null) return state.failure.message;
  if (seen === null) return 'it has not been looked at yet';
  return record === null
    ? (state.blockers[0]?.message ?? (seen.match === null ? 'no policy wants it' : null))
    : recordedHealth(state, record, decision);
}

function recordedHealth(state: GroupState, record: GroupRecord, decision: Decision): string | null {
  switch (decision.kind) {
    case 'Wait':
    case 'Degraded':
      return decision.why;
    case 'Fault':
      return decision.reason;
    case 'AwaitHolder':
      return state.blockers[0]?.message ?? null;
    case 'Leave':
    case 'Take':
    case 'Settle':
    case 'Hold':
    case 'Return':
    case 'Finish':
      return record.lease === null ? unleasedHealth(state, record) : null;
  }
}

/** A group that is ours without a tenant goes to a new one only while a policy still wants it so. */
function unleasedHealth(state: GroupState, record: GroupRecord): string | null {
  const match = state.seen?.match ?? null;
  const cordoned = state.seen?.cordoned ?? null;
  if (cordoned !== null) return `it was taken out of service (${cordoned || 'no reason given'})`;
  if (match === null) return 'no policy wants it any more';
  if (match.policy.resourceName !== record.resourceName) {
    return `policy ${match.policy.name} now offers it as ${match.policy.resourceName}`;
  }
  if (record.resetDue && record.reset === 'Required') return 'it has to be reset first';
  return state.blockers[0]?.message ?? null;
}

function membersOf(state: GroupState, group: IommuGroup | null): MemberView[] {
  if (group === null) return [];
  const primaries = primariesOf(state);
  return group.members.map((member) => {
    if (member.kind === 'other') {
      const driver = member.driver.known ? member.driver.value : '?';
      const none = {
        vendor: '',
        device: '',
        classCode: '',
        originalDriver: null,
        vfioDevice: null,
      };
      return { address: member.name, role: 'other', driver, ...none };
    }
    const { fn } = member;
    const recorded = state.record?.members.find((m) => m.address === fn.address);
    return {
      address: fn.address,
      vendor: fn.ids.known ? fn.ids.value.vendor : '',
      device: fn.ids.known ? fn.ids.value.device : '',
      classCode: fn.classCode.known ? fn.classCode.value : '',
      role: recorded?.role ?? roleOf(fn, primaries),
      driver: fn.driver.known ? fn.driver.value : '?',
      originalDriver: recorded === undefined ? null : recorded.originalDriver,
      vfioDevice: fn.vfioDevice.known ? fn.vfioDevice.value : null,
    };
  });
}

function primariesOf(state: GroupState): readonly PciAddress[] {
  if (state.seen?.match) return state.seen.match.consent.primaries;
  const look = state.seen?.look;
  const leader = look ? defaultLeader(look.group) : null;
  return leader === null ? [] : [leader];
}

/** NUMA nodes of all endpoints, unknown ones left out, ascending. */
function numaNodesOf(group: IommuGroup): readonly number[] {
  const nodes = new Set<number>();
  for (const fn of pciFunctions(group)) {
    if (!isBridge(fn) && fn.numaNode.known && fn.numaNode.value !== null)
      nodes.add(fn.numaNode.value);
  }
  return [...nodes].sort((a, b) => a - b);
}
