// Allocate for one group: a fresh look, blockers judged again, the record durable, the lease taken, the
// answer. It never waits for an unbind; the claim runs after the answer and PreStartContainer waits for it.
import type { RefusalReason } from '../kubelet/door.ts';
import type { GroupRecord, Lease } from '../ownership/record.ts';
import type { ResourceName } from '../policy/policy.ts';
import { answerFor, blockedMessage, draftClaim } from './claim.ts';
import type { GroupCore } from './core.ts';
import type { Allocation } from './messages.ts';
import { viewOf } from './view.ts';

/** Tells whether the kubelet still names the holder of a lease; asked only for a group that is out. */
export type HolderCheck = (record: GroupRecord) => Promise<'gone' | 'present' | 'unknown'>;

/** Takes a lease for `resource`. */
export async function allocateGroup(
  core: GroupCore,
  resource: ResourceName,
  holderCheck: HolderCheck,
): Promise<Allocation> {
  const { state } = core;
  const view = viewOf(state);
  if (state.stopping) return refuse('ShuttingDown', 'the agent is shutting down; try again');
  if (view.resourceName !== resource) {
    return refuse('UnknownDevice', `${state.leader} is not a device of ${resource}`);
  }
  if (view.fault !== null) return refuse('NotReleasable', `${state.leader}: ${view.fault.message}`);
  const { record } = state;
  if (record === null) return allocateFromHost(core, resource);
  if (record.lease !== null) {
    const answer = await allocateLeased(core, record, record.lease, holderCheck);
    // Number, members and what to restore of a boot that is over are nobody's any more.
    return answer ?? (await allocateFromHost(core, resource));
  }
  if (view.why !== null) return refuse('NotReleasable', `${state.leader}: ${view.why}`);
  switch (record.phase) {
    case 'Claimed':
      return allocateClaimed(core, record);
    case 'Claiming':
    case 'Returning':
    case 'Assigned':
      return allocateFromHost(core, resource);
  }
}

function refuse(reason: RefusalReason, message: string): Allocation {
  return { kind: 'refused', reason, message };
}

/** From the host, or turning a claim or return that is under way: the record is durable before the answer. */
async function allocateFromHost(core: GroupCore, resource: ResourceName): Promise<Allocation> {
  const { state, ports } = core;
  const lease = core.newLease();
  const draft = await draftClaim(core, lease, resource);
  switch (draft.kind) {
    case 'blocked':
      return refuse('NotReleasable', blockedMessage(draft.blockers));
    case 'impossible':
      return refuse('NotReleasable', `${state.leader}: ${draft.why}`);
    case 'ready':
      break;
  }
  if (!(await core.save(draft.record))) {
    return refuse(
      'RecordFailed',
      `${state.leader}: what to restore could not be written down, so nothing was taken; see the agent's log`,
    );
  }
  if (state.work?.goal === 'Return') state.work.superseded = true;
  state.startedUnderLease = false;
  state.flowStartedMs ??= ports.clock.monotonicMs();
  return granted(core, draft.record, lease, null);
}

/**
 * A group that is claimed and waits for a tenant. Nothing is to be written to sysfs, so the lease may become
 * durable while the answer travels: until PreStartContainer no container can start under it.
 */
function allocateClaimed(core: GroupCore, record: GroupRecord): Allocation {
  const { state } = core;
  const { seen } = state;
  if (seen === null) return refuse('NotReleasable', `${state.leader} has not been looked at yet`);
  const lease = core.newLease();
  const leased: GroupRecord = {
    ...record,
    phase: record.resetDue ? 'Claiming' : 'Assigned',
    lease,
    answer: answerFor(core, seen, record.groupNumber),
  };
  state.record = leased;
  state.recordDurable = false;
  state.startedUnderLease = false;
  core.assess();
  return granted(core, leased, lease, async () => {
    if (state.record === leased) await core.save(leased);
  });
}

function granted(
  core: GroupCore,
  record: GroupRecord,
  fresh: Lease | null,
  persist: (() => Promise<void>) | null,
): Allocation {
  core.ports.log.info('lease granted', {
    ...{ leader: core.state.leader, resource: record.resourceName, phase: record.phase },
    ...{ group: record.groupNumber },
  });
  return { kind: 'leased', record, fresh, persist };
}

/**
 * The kubelet asks for a group that is leased. It does so rightly in two cases: the init container's devices
 * go on to the next container of the same pod (no container has started yet and the kubelet does not name a
 * holder), and the last tenant has just ended. Anything else is a second tenant: refused. Null: the last tenant ended with
 * an earlier boot, and the group is as the host has it.
 */
async function allocateLeased(
  core: GroupCore,
  record: GroupRecord,
  lease: Lease,
  holderCheck: HolderCheck,
): Promise<Allocation | null> {
  const { state } = core;
  const isOfThisBoot = state.seen?.bootId === record.bootId;
  if (isOfThisBoot && lease.pod === null && !state.startedUnderLease)
    return granted(core, record, null, null);
  if (!(await lastTenantLeft(core, record, holderCheck))) {
    return refuse('AlreadyLeased', heldMessage(core, lease));
  }
  if (!isOfThisBoot) return null;
  const next = core.newLease();
  const turned: GroupRecord = { ...record, phase: 'Claiming', lease: next, resetDue: true };
  const answer = state.seen === null ? null : answerFor(core, state.seen, record.groupNumber);
  if (!(await core.save({ ...turned, answer }))) {
    return refuse('RecordFailed', `${state.leader}: the new lease could not be written down`);
  }
  state.startedUnderLease = false;
  core.ports.log.info('lease turned over', { leader: state.leader, from: lease.pod });
  return granted(core, { ...turned, answer }, next, null);
}

function heldMessage(core: GroupCore, lease: Lease): string {
  const holder =
    lease.pod === null ? 'another pod' : `pod ${lease.pod.namespace}/${lease.pod.name}`;
  const inside =
    core.state.seen?.look?.inside.kind === 'nobody' ? '' : ', and somebody has it open';
  return `${core.state.leader} is leased to ${holder} since ${lease.since}${inside}; it is free when that pod is gone`;
}

/** Waits briefly for the last tenant's files to close; true only when the kubelet does not name it any more and nobody is inside. */
async function lastTenantLeft(
  core: GroupCore,
  record: GroupRecord,
  holderCheck: HolderCheck,
): Promise<boolean> {
  if ((await holderCheck(record)) !== 'gone') return false;
  const { clock, timing } = core.ports;
  const untilMs = clock.monotonicMs() + timing.turnoverWaitMs;
  for (;;) {
    const inside = await core.inside();
    // Nobody is inside a device that is gone either.
    if (core.state.seen?.look === null) return false;
    if (inside.kind === 'nobody') return true;
    if (clock.monotonicMs() >= untilMs) return false;
    await new Promise<void>((resolve) => void clock.after(50, resolve));
  }
}
