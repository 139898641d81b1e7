// Runs in a guest: the claim of a group by the plans and the steps of the agent, without an agent: taken, opened by a
// program that maps memory and reads every device, given back, and compared with what was before.
import type { Clock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { createHost } from '../../../src/host/create-host.ts';
import type { Host } from '../../../src/host/host.ts';
import type { KernelFs } from '../../../src/kernel/fs.ts';
import type { GroupLook } from '../../../src/ownership/look.ts';
import { claimSteps, returnSteps } from '../../../src/ownership/plan.ts';
import type { GroupRecord } from '../../../src/ownership/record.ts';
import type { Step } from '../../../src/ownership/step.ts';
import { recordMembers } from '../../../src/ownership/verify.ts';
import type { PciAddress } from '../../../src/pci/address.ts';
import { bindingsText, endpointsOf, groupOf } from './flow/sysfs.ts';
import { VfioProgram } from './flow/vfio-program.ts';
import { check } from './flow/waiting.ts';

async function execute(host: Host, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    let outcome = await host.execute(step);
    while (outcome.kind === 'pending') outcome = await outcome.settles;
    check(outcome.kind !== 'failed', `${step.kind} ${step.address}: ${JSON.stringify(outcome)}`);
  }
}

async function lookAtGroup(host: Host, address: PciAddress): Promise<GroupLook> {
  const [look] = await host.lookAt([address]);
  check(look !== undefined, `${address} is gone`);
  return look;
}

function recordOf(look: GroupLook, leader: PciAddress): GroupRecord {
  const members = recordMembers(look, [leader], []);
  check(members !== null, 'what to restore cannot be read');
  return {
    key: look.group.key,
    leader,
    groupNumber: look.group.number,
    bootId: '',
    phase: 'Claiming',
    members,
    resourceName: '',
    policyName: '',
    vfioDriver: 'vfio-pci',
    reset: 'Never',
    nodeOwner: null,
    lease: null,
    resetDue: false,
    answer: null,
  };
}

/** Claims and returns the group of `address`; what went wrong, or null. */
export async function claimProblem(
  kernel: KernelFs,
  clock: Clock,
  address: string,
): Promise<string | null> {
  const host = createHost({ kernel, clock, log: silentLog });
  const leader = address as PciAddress;
  try {
    const before = bindingsText(address);
    const look = await lookAtGroup(host, leader);
    const record = recordOf(look, leader);
    await execute(host, claimSteps(record, look));
    const program = await VfioProgram.start(groupOf(address), endpointsOf(address));
    await program.kill();
    await execute(host, returnSteps(record, await lookAtGroup(host, leader)));
    const now = bindingsText(address);
    return now === before ? null : `not restored. Before:\n${before}\nNow:\n${now}`;
  } catch (thrown) {
    return String(thrown);
  }
}
