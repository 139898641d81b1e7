// PreStartContainer for one group: the start of a container is held until the group is wholly taken, R3 is
// verified on a fresh look, and the runtime knows today's nodes. It is also how the kubelet replays an old
// allocation after a reboot or after a lost record, without any Allocate.
import { errorText } from '../base/errors.ts';
import type { VfioNodes } from '../host/host.ts';
import type { PreStartAnswer, RefusalReason } from '../kubelet/door.ts';
import type { GroupRecord } from '../ownership/record.ts';
import { unfitMembers } from '../ownership/verify.ts';
import type { ResourceName } from '../policy/policy.ts';
import { blockedMessage, draftClaim } from './claim.ts';
import type { GroupCore } from './core.ts';
import { specFor } from './delivery.ts';
import { viewOf } from './view.ts';

function refused(reason: RefusalReason, message: string): PreStartAnswer {
  return { kind: 'refused', reason, message };
}

/**
 * Makes sure that the group is leased and being taken for the container that is about to start. Null: it is,
 * and the caller waits for its claim; otherwise the refusal.
 */
export async function prepareStart(
  core: GroupCore,
  resource: ResourceName,
): Promise<PreStartAnswer | null> {
  const { state } = core;
  const view = viewOf(state);
  if (state.stopping) return refused('ShuttingDown', 'the agent is shutting down; try again');
  if (view.resourceName !== resource) {
    return refused('UnknownDevice', `${state.leader} is not a device of ${resource}`);
  }
  if (view.fault?.reason === 'RecordUnreadable') return refused('NotClaimed', view.fault.message);
  const { record } = state;
  if (record !== null && record.lease !== null && state.decision.kind !== 'AwaitHolder')
    return null;
  if (record === null && state.failure !== null && core.resting) {
    // A claim that was given up a moment ago: the host keeps its devices until the pause is over.
    return refused('NotClaimed', `${state.leader}: ${state.failure.message}`);
  }
  return claimForReplay(core, record, resource);
}

/** The kubelet says that a pod holds this group and the host has it (or nobody): claim it again for that pod. */
async function claimForReplay(
  core: GroupCore,
  record: GroupRecord | null,
  resource: ResourceName,
): Promise<PreStartAnswer | null> {
  const { state, ports } = core;
  const lease = record === null ? null : record.lease;
  const promised = record === null ? null : record.answer;
  if (lease === null && ports.mode.delivery === 'device-nodes') {
    return refused(
      'StaleAnswer',
      `${state.leader}: what this pod was promised is not known any more; delete the pod to get a new allocation`,
    );
  }
  const draft = await draftClaim(core, lease ?? core.newLease(), resource);
  switch (draft.kind) {
    case 'blocked':
      return refused('NotReleasable', blockedMessage(draft.blockers));
    case 'impossible':
      return refused('NotReleasable', `${state.leader}: ${draft.why}`);
    case 'ready':
      break;
  }
  const answer = promised ?? draft.record.answer;
  if (!(await core.save({ ...draft.record, answer }))) {
    return refused(
      'RecordFailed',
      `${state.leader}: the record could not be written; see the agent's log`,
    );
  }
  if (state.work?.goal === 'Return') state.work.superseded = true;
  state.failure = null;
  state.flowStartedMs ??= ports.clock.monotonicMs();
  ports.log.info('claim replayed', { leader: state.leader, resource: draft.record.resourceName });
  return null;
}

/** What a waiting container start hears now; null: wait on. */
export async function tryStart(core: GroupCore): Promise<PreStartAnswer | null> {
  const { state } = core;
  const { record, failure, decision } = state;
  if (state.stopping) return refused('ShuttingDown', 'the agent is shutting down; try again');
  if (record === null || record.lease === null) {
    return refused(
      'NotClaimed',
      `${state.leader}: ${failure?.message ?? 'the claim was given up'}`,
    );
  }
  if (decision.kind === 'Degraded')
    return refused('NotClaimed', `${state.leader}: ${decision.why}`);
  if (record.phase !== 'Assigned' || decision.kind !== 'Hold') return null;
  if (!state.recordDurable && !(await core.save(record))) {
    return refused(
      'RecordFailed',
      `${state.leader}: the lease could not be written down; see the agent's log`,
    );
  }
  return verifyAndPublish(core, record);
}

async function verifyAndPublish(core: GroupCore, record: GroupRecord): Promise<PreStartAnswer> {
  const { state, ports } = core;
  const look = await core.look();
  if (look === null) return refused('NotClaimed', `${state.leader} is gone from the machine`);
  const unfit = unfitMembers(record, look)[0];
  if (unfit !== undefined) return refused('NotClaimed', unfit.message);
  const members = record.members.filter((m) => m.role !== 'bridge').map((m) => m.address);
  const nodes = await ports.host.vfioNodes(look.group.number, members);
  if (!nodes.known) return refused('NotClaimed', `${nodes.path}: ${nodes.why}`);
  const stale = staleAnswer(core, record, nodes.value);
  if (stale !== null) return refused('StaleAnswer', stale);
  try {
    if (record.answer?.delivery === 'cdi')
      await ports.cdi.write(record.leader, specFor(ports.mode, record, nodes.value));
  } catch (problem) {
    return refused(
      'NotClaimed',
      `${state.leader}: the CDI spec could not be written: ${errorText(problem)}`,
    );
  }
  // From here on a container may have the group open: only an ended lease makes it free again.
  state.startedUnderLease = true;
  if (!record.resetDue && !(await core.save({ ...record, resetDue: true }))) {
    return refused(
      'RecordFailed',
      `${state.leader}: the record could not be written; see the agent's log`,
    );
  }
  return { kind: 'ready' };
}

/** Why the nodes that the kubelet will hand out are not this group's any more; null when they are (or CDI names them anew). */
function staleAnswer(core: GroupCore, record: GroupRecord, nodes: VfioNodes): string | null {
  const { answer } = record;
  const leader = core.state.leader;
  if (answer === null) return `${leader}: nothing was promised to this pod`;
  if (answer.access === 'Group' && nodes.group === null) return `${leader} has no /dev/vfio node`;
  if (answer.access === 'Cdev' && nodes.devices.length === 0) {
    return `${leader} has no /dev/vfio/devices node`;
  }
  if (answer.delivery === 'cdi') return null;
  const current = new Set([
    nodes.group,
    '/dev/vfio/vfio',
    '/dev/iommu',
    ...nodes.devices.map((d) => d.path),
  ]);
  const gone = answer.deviceNodes.find((path) => !current.has(path));
  if (gone === undefined) return null;
  return (
    `${leader}: this pod was promised ${gone}, which is not this group's node since the last boot ` +
    `(it is ${nodes.group ?? 'absent'} now); delete the pod to get a new allocation`
  );
}
