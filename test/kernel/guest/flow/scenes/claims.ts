// Scenes of one claim each: a pod gets the group, its program uses it, the agent leaves it alone while it is open, and
// gives back every driver and every override.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FlowGroup, flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingsText, endpointsOf, isPresent, setOverride } from '../sysfs.ts';
import { check, until } from '../waiting.ts';

/** Two polls of the agent, and a list of holders: long enough for it to see that the pod has gone. */
const leftAloneMs = 3500;

async function claimAndReturn(machine: FlowMachine, group: FlowGroup): Promise<Figures> {
  await machine.agent.ship();
  return claimWithAgent(machine, group);
}

/** What the program of a pod has to have said of each function: its vendor and device, as read from it. */
function checkRead(machine: FlowMachine, uid: string, names: readonly string[]): void {
  const said = machine.containers.programsOf(uid).flatMap((program) => program.said);
  for (const name of names) {
    const read = said.find((line) => line.startsWith(`${name} is `));
    check(read !== undefined, `${name} was not read: ${said.join('; ')}`);
  }
}

/** The same with the agent that runs. `names`: what the program calls the functions; their addresses unless said. */
export async function claimWithAgent(
  machine: FlowMachine,
  group: FlowGroup,
  names: () => readonly string[] = () => endpointsOf(group.leader),
): Promise<Figures> {
  const { containers, agent } = machine;
  const before = bindingsText(group.leader);
  const startedMs = performance.now();
  const uid = machine.createPod(group);
  await machine.running(uid);
  const runningMs = Math.round(performance.now() - startedMs);
  machine.checkTaken(group);
  checkRead(machine, uid, names());
  containers.leaveBehind = true;
  await machine.deletePod(uid);
  await sleep(leftAloneMs);
  machine.checkTaken(group);
  const view = await agent.view(group.leader);
  check(view?.phase !== 'WithHost', `it was given back while it was open: ${view?.phase}`);
  containers.leaveBehind = false;
  const endedMs = performance.now();
  await containers.kill(uid);
  await machine.returned(group, before);
  return { runningMs, returnedMs: Math.round(performance.now() - endedMs) };
}

function claimScene(what: string, group: FlowGroup): Scene {
  return {
    name: `${what} is claimed, left alone while open, and given back`,
    run: (machine) => claimAndReturn(machine, group),
  };
}

const virtualFunctions = `/sys/bus/pci/devices/${flowGroups.physicalFunction.leader}/sriov_numvfs`;

async function claimOfVirtualFunction(machine: FlowMachine): Promise<Figures> {
  const group = flowGroups.virtualFunction;
  writeFileSync(virtualFunctions, '1');
  await until('the function is there', () => isPresent(group.leader));
  const figures = await claimAndReturn(machine, group);
  writeFileSync(virtualFunctions, '0');
  return figures;
}

async function claimWithOverride(machine: FlowMachine): Promise<Figures> {
  const group = flowGroups.nic;
  // Somebody on this host wants it so; it is his to take away.
  setOverride(group.leader, 'e1000e');
  const figures = await claimAndReturn(machine, group);
  check(bindingsText(group.leader).includes('override=e1000e'), 'the override was not restored');
  setOverride(group.leader, null);
  return figures;
}

/** One claim of each form of group. */
export const claimScenes: readonly Scene[] = [
  claimScene('a NIC with two functions', flowGroups.twoFunctions),
  claimScene('an NVMe disk', flowGroups.nvme),
  claimScene('a group behind a PCIe-to-PCI bridge', flowGroups.behindBridge),
  claimScene('an igb with SR-IOV off', flowGroups.physicalFunction),
  {
    name: 'a virtual function is claimed, left alone while open, and given back',
    run: claimOfVirtualFunction,
  },
  claimScene('a virtio disk', flowGroups.virtioDisk),
  claimScene('a virtio NIC', flowGroups.virtioNic),
  { name: 'a driver_override of the host comes back with the device', run: claimWithOverride },
];
