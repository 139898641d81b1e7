// One turn of a group: decide what to do next and begin it. Called after every message; does at most one
// thing that takes long (as work beside the loop) and returns.
import { assertNever } from '../base/assert.ts';
import type { GroupLook } from '../ownership/look.ts';
import { claimSteps, resetSteps, returnSteps } from '../ownership/plan.ts';
import type { GroupRecord } from '../ownership/record.ts';
import { draftClaim } from './claim.ts';
import type { GroupCore } from './core.ts';
import type { Work } from './state.ts';
import { describeStep, type WorkResult } from './work.ts';

/** Turns an actor makes at most for one message: bounds a loop that a bug would make endless. */
const turnsMax = 8;

/** Goes on with the group as far as it can without waiting. */
export async function advance(core: GroupCore): Promise<void> {
  for (let turn = 0; turn < turnsMax; turn++) {
    core.assess();
    if (core.state.seen === null || core.state.stopping) return;
    if (!(await step(core))) return;
  }
}

/** Does the next thing; true when there may be another one right away. */
async function step(core: GroupCore): Promise<boolean> {
  const { state } = core;
  const { decision, record } = state;
  switch (decision.kind) {
    case 'Leave':
      return leave(core);
    case 'Take':
      return take(core);
    case 'Settle':
      return settle(core);
    case 'Hold':
      return hold(core);
    case 'Return':
      return giveBack(core);
    case 'Finish':
      return finish(core);
    case 'AwaitHolder':
      return record?.lease === null ? startReturning(core) : false;
    case 'Wait':
    case 'Degraded':
    case 'Fault':
      return false;
    default:
      return assertNever(decision, 'decision');
  }
}

/** With the host: after a pause a failed claim is forgiven; an eager policy claims. */
async function leave(core: GroupCore): Promise<boolean> {
  if (core.resting) return false;
  core.state.failure = null;
  return wantsEagerly(core) ? beginEagerClaim(core) : false;
}

/** A policy wants the group claimed before any pod comes. */
function wantsEagerly(core: GroupCore): boolean {
  const { seen, blockers, quarantined } = core.state;
  if (seen?.match?.policy.binding !== 'Eager' || quarantined !== null) return false;
  return blockers.length === 0;
}

/** The record's policy still wants this group as it is claimed. */
function stillWanted(core: GroupCore, record: GroupRecord): boolean {
  const policy = core.state.seen?.match?.policy;
  if (policy === undefined || core.state.seen?.cordoned !== null) return false;
  return (
    policy.binding === 'Eager' &&
    policy.resourceName === record.resourceName &&
    policy.vfioDriver === record.vfioDriver
  );
}

async function beginEagerClaim(core: GroupCore): Promise<boolean> {
  const draft = await draftClaim(core, null, null);
  if (draft.kind !== 'ready') return false;
  core.state.flowStartedMs = core.ports.clock.monotonicMs();
  return core.save(draft.record);
}

function look(core: GroupCore): GroupLook | null {
  return core.state.seen?.look ?? null;
}

/** True when nothing is running and no pause is due. */
function free(core: GroupCore): boolean {
  return core.state.work === null && !core.resting;
}

async function take(core: GroupCore): Promise<boolean> {
  const { ports } = core;
  const { record, failure } = core.state;
  const seen = look(core);
  if (record === null || seen === null || !free(core)) return false;
  if (record.lease === null && !stillWanted(core, record)) return startReturning(core);
  if (failure !== null && failure.attempts >= core.state.attemptsBeforeFault) {
    // Not for want of trying: the host gets its devices back, and the reason stays to be read.
    core.state.failure = { ...failure, retryAtMs: ports.clock.monotonicMs() };
    return startReturning(core);
  }
  core.startWork('Take', claimSteps(record, seen));
  return false;
}

async function settle(core: GroupCore): Promise<boolean> {
  const { state, ports } = core;
  const { record } = state;
  // A return that was turned round may still be at its last step: what is taken now need not stay so.
  if (record === null || state.work !== null) return false;
  if (needsReset(core, record)) return reset(core, record);
  const phase = record.lease === null ? 'Claimed' : 'Assigned';
  if (!(await core.save({ ...record, phase }))) return false;
  state.failure = null;
  if (state.flowStartedMs !== null) {
    ports.meter.claimed((ports.clock.monotonicMs() - state.flowStartedMs) / 1000);
    state.flowStartedMs = null;
  }
  return true;
}

function needsReset(core: GroupCore, record: GroupRecord): boolean {
  const seen = look(core);
  return record.resetDue && seen !== null && resetSteps(record, seen).length > 0;
}

/** Resets what the last tenant used. False: it runs now (or rests). */
function reset(core: GroupCore, record: GroupRecord): boolean {
  const seen = look(core);
  if (seen !== null && free(core)) core.startWork('Reset', resetSteps(record, seen));
  return false;
}

async function hold(core: GroupCore): Promise<boolean> {
  const { record } = core.state;
  if (record === null || record.lease !== null) return false;
  if (needsReset(core, record)) return reset(core, record);
  if (stillWanted(core, record)) return false;
  return startReturning(core);
}

async function startReturning(core: GroupCore): Promise<boolean> {
  const { state, ports } = core;
  const { record } = state;
  if (record === null || record.phase === 'Returning') return false;
  if (!(await core.save({ ...record, phase: 'Returning', lease: null, answer: null })))
    return false;
  state.flowStartedMs = ports.clock.monotonicMs();
  return true;
}

async function giveBack(core: GroupCore): Promise<boolean> {
  const { record } = core.state;
  const seen = look(core);
  if (record === null || seen === null) return false;
  if (record.phase !== 'Returning') return startReturning(core);
  if (!free(core)) return false;
  if (needsReset(core, record)) return reset(core, record);
  core.startWork('Return', returnSteps(record, seen));
  return false;
}

async function finish(core: GroupCore): Promise<boolean> {
  const { state, ports } = core;
  if (state.work !== null) return false;
  const failure = state.failure;
  if (!(await core.forget())) return false;
  await core.withdraw();
  if (state.flowStartedMs !== null) {
    ports.meter.returned((ports.clock.monotonicMs() - state.flowStartedMs) / 1000);
    state.flowStartedMs = null;
  }
  // A claim that failed keeps its pause, so that a broken group is not taken and given back for ever.
  if (failure?.reason === 'ClaimFailed') {
    const pauseMs = ports.timing.retryMaxMs;
    state.failure = { ...failure, retryAtMs: ports.clock.monotonicMs() + pauseMs };
    core.wakeAfter(pauseMs);
  }
  return true;
}

/** The end of a piece of work: look at what really is, then note a failure, or that it came to nothing. */
export async function workEnded(core: GroupCore, work: Work, result: WorkResult): Promise<void> {
  const { state, ports } = core;
  if (state.work === work) state.work = null;
  await core.look();
  switch (result.kind) {
    case 'done':
      if (work.goal === 'Reset') await resetEnded(core, true);
      else if (goalNow(core) === work.goal) failed(core, work, cameToNothing(core));
      return;
    case 'superseded':
      return;
    case 'occupied':
      ports.log.warn('return held off', { leader: state.leader, address: result.address });
      core.rest();
      return;
    case 'failed':
      if (work.goal === 'Reset') {
        ports.log.warn('reset failed', { leader: state.leader, message: result.message });
        await resetEnded(core, false);
        return;
      }
      failed(
        core,
        work,
        `could not ${describeStep(result.step)} ${result.step.address}: ${result.message}`,
      );
  }
}

function failed(core: GroupCore, work: Work, message: string): void {
  core.fail(work.goal === 'Take' ? 'ClaimFailed' : 'RestoreFailed', message);
}

/** The goal that the group still has; null: none that work is done for. */
function goalNow(core: GroupCore): Work['goal'] | null {
  const { kind } = core.state.decision;
  return kind === 'Take' || kind === 'Return' ? kind : null;
}

/** Every step was done and read back, and yet the group is not there: somebody works against us, or a fact cannot be read. */
function cameToNothing(core: GroupCore): string {
  const seen = look(core);
  const unread = seen?.details.find((detail) => !detail.driverOverride.known);
  const fact = unread?.driverOverride;
  if (fact !== undefined && !fact.known) return `${fact.path} cannot be read: ${fact.why}`;
  return 'every step was done, but a member does not stay as it was made';
}

async function resetEnded(core: GroupCore, succeeded: boolean): Promise<void> {
  const { record } = core.state;
  if (record === null) return;
  if (!succeeded && record.reset === 'Required') {
    core.fail('ResetFailed', 'a reset between tenants failed, and the policy requires it');
    return;
  }
  await core.save({ ...record, resetDue: false });
}
