// Machines on which nothing may be given away: the agent says why, no pod gets a device, and nothing is touched. Where
// Linux itself would refuse, or would not, that is tried too.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingOf, groupOf, setOverride } from '../sysfs.ts';
import { VfioProgram } from '../vfio-program.ts';
import { check } from '../waiting.ts';

const { nic } = flowGroups;
const pendingMs = 3000;

function wholegroup(...args: readonly string[]): {
  readonly status: number;
  readonly text: string;
} {
  const ran = spawnSync(process.execPath, ['/opt/wholegroup/main.js', ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status: ran.status ?? -1, text: `${ran.stdout}${ran.stderr}` };
}

/** A pod waits in vain, the device stays as it is, and `explain` gives the reason. */
async function refuses(machine: FlowMachine, reason: string): Promise<void> {
  const before = JSON.stringify(bindingOf(nic.leader));
  const explained = wholegroup('explain', nic.leader);
  check(explained.text.includes(reason), `explain says:\n${explained.text}`);
  await machine.agent.start('shipped');
  const uid = machine.createPod(nic);
  await sleep(pendingMs);
  check(machine.kubelet.pod(uid)?.phase === 'Pending', 'a pod got the device');
  check(machine.kubelet.quantity(nic.resource).allocatable === 0, 'the device is offered');
  await machine.deletePod(uid);
  await machine.agent.end('SIGTERM');
  check(JSON.stringify(bindingOf(nic.leader)) === before, 'the device was touched');
}

async function withoutInterruptRemapping(machine: FlowMachine): Promise<Figures> {
  await refuses(machine, 'InterruptRemappingOff');
  setOverride(nic.leader, 'vfio-pci');
  writeFileSync('/sys/bus/pci/drivers/e1000e/unbind', nic.leader);
  writeFileSync('/sys/bus/pci/drivers_probe', nic.leader);
  const said = await VfioProgram.start(groupOf(nic.leader), [nic.leader]).then(
    () => 'it could be opened',
    (thrown: unknown) => String(thrown),
  );
  check(said.includes('Operation not permitted'), `Linux says: ${said}`);
  return {};
}

async function withoutIommu(machine: FlowMachine): Promise<Figures> {
  await refuses(machine, 'No IOMMU is active');
  const inspected = wholegroup('inspect');
  check(/no IOMMU|IOMMU +none/i.test(inspected.text), `inspect says:\n${inspected.text}`);
  return {};
}

function withoutAccounting(machine: FlowMachine): Promise<Figures> {
  const ran = wholegroup('agent', '--policies', machine.agent.places.policies);
  check(ran.text.includes('WG_KERNEL_UNSUITABLE'), `the agent says:\n${ran.text}`);
  check(ran.status !== 0, 'the agent ended well');
  const explained = wholegroup('explain', nic.leader);
  check(explained.text.includes('OwnershipAccountingAbsent'), `explain says:\n${explained.text}`);
  return Promise.resolve({ agentEndedWith: ran.status });
}

/** The machine without interrupt remapping. */
export const interruptRemappingOff: Scene = {
  name: 'without interrupt remapping nothing is offered, and VFIO would refuse',
  run: withoutInterruptRemapping,
};

/** The machine without an IOMMU. */
export const iommuAbsent: Scene = {
  name: 'without an IOMMU nothing is offered',
  run: withoutIommu,
};

/** A kernel that does not refuse mixed groups. */
export const accountingAbsent: Scene = {
  name: 'where Linux does not account for DMA ownership the agent does not start',
  run: withoutAccounting,
};
