// Runs the steps of one plan, one after the other, outside the actor's loop: a step that hangs in the kernel
// holds up this group's plan and nothing else.
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Host } from '../host/host.ts';
import type { PciAddress } from '../pci/address.ts';
import type { Step, StepOutcome } from '../ownership/step.ts';
import type { Work } from './state.ts';

/** How a piece of work ended. */
export type WorkResult =
  | { readonly kind: 'done' }
  /** The goal changed meanwhile; what was not begun was left undone. */
  | { readonly kind: 'superseded' }
  /** Somebody came inside between the look and the write: nothing was unbound. */
  | { readonly kind: 'occupied'; readonly address: PciAddress }
  | { readonly kind: 'failed'; readonly step: Step; readonly message: string };

/** What the runner needs. */
export interface WorkContext {
  readonly leader: PciAddress;
  /** The VFIO driver of the claim. */
  readonly vfioDriver: string;
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a step is found hanging, and with null when it has come back. */
  readonly onPending: (address: PciAddress, what: string | null) => void;
}

/** Words for a step, for logs and people. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'SetOverride':
      return step.override === null
        ? 'clear driver_override of'
        : `set driver_override ${step.override} on`;
    case 'Unbind':
      return `unbind ${step.driver} from`;
    case 'Probe':
      return `probe ${step.expectDriver ?? 'a driver'} on`;
    case 'Bind':
      return `bind ${step.driver} to`;
    case 'Reset':
      return 'reset';
  }
}

/**
 * Executes `steps` in order, stopping at the first that fails, at a superseded goal, or (for a return) at a
 * member that somebody has open: R4 is looked at again right before every unbind and reset. A hung step is
 * waited for, however long; the wait costs one abandoned child process of the kernel seam. Never rejects.
 */
export async function runSteps(
  steps: readonly Step[],
  work: Work,
  context: WorkContext,
): Promise<WorkResult> {
  for (const step of steps) {
    if (work.superseded) return { kind: 'superseded' };
    if (work.goal !== 'Take' && (await occupied(step, context))) {
      return { kind: 'occupied', address: step.address };
    }
    // Looking takes a while: the goal may have changed meanwhile.
    if (work.superseded) return { kind: 'superseded' };
    const outcome = await settle(step, await context.host.execute(step), context);
    if (outcome.kind === 'failed') return { kind: 'failed', step, message: outcome.message };
  }
  return { kind: 'done' };
}

/**
 * Whether somebody is inside now. Only a function on its VFIO driver can have a user; native drivers always have
 * their device enabled. `enable` is asked first because it is one read; a group that is held without any device
 * shows among the open files only, and an earlier step may have hung for long, so those are looked at again too.
 */
async function occupied(step: Step, context: WorkContext): Promise<boolean> {
  const fromVfio = step.kind === 'Unbind' && step.driver === context.vfioDriver;
  if (!fromVfio && step.kind !== 'Reset') return false;
  const open = await context.host.isOpen(step.address);
  if (!open.known || open.value) return true;
  return (await context.host.inside([step.address])).kind !== 'nobody';
}

type SettledOutcome = Exclude<StepOutcome, { kind: 'pending' }>;

async function settle(
  step: Step,
  first: StepOutcome,
  context: WorkContext,
): Promise<SettledOutcome> {
  let outcome = first;
  if (outcome.kind !== 'pending') return outcome;
  const what = describeStep(step);
  const sinceMs = context.clock.monotonicMs();
  context.onPending(step.address, what);
  context.log.warn('step pending', { leader: context.leader, address: step.address, step: what });
  while (outcome.kind === 'pending') outcome = await outcome.settles;
  const tookMs = Math.round(context.clock.monotonicMs() - sinceMs);
  context.log.info('step settled late', {
    ...{ leader: context.leader, address: step.address, step: what },
    ...{ outcome: outcome.kind, tookMs },
  });
  context.onPending(step.address, null);
  return outcome;
}
