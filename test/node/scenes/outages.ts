// Programs of the node and of wholegroup that end at a bad moment: what was begun comes to its end, a running pod has
// what it has.
import assert from 'node:assert/strict';
import { stays } from '../../cluster/stage/wait.ts';
import { type FlowGroup, flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';

const group = flowGroups.twoFunctions;
const firstOverride = `/sys/bus/pci/devices/${group.leader}/driver_override`;
const watchedMs = 10_000;

/** Kills the agent as soon as `condition` (of the guest's shell) holds; resolves when it did. */
async function killAgentWhen(at: NodeStage, condition: string): Promise<void> {
  const agent = await at.stage.productPod('agent');
  const folder = await at.controlGroup(agent);
  await at.guest.say(
    `until ${condition}; do :; done; echo 1 >${folder}/cgroup.kill; cat ${firstOverride}`,
    600_000,
  );
}

async function inClaim(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  // The builtin reads without a process of its own: it sees the claim in its middle.
  const killed = killAgentWhen(at, `read -r is <${firstOverride}; [ "$is" = vfio-pci ]`);
  const runs = at.runPod({ name: 'claimed-late' }, group);
  await killed;
  await runs;
  await at.checkTaken(group);
  await stage.removePod('claimed-late');
  await at.returned(group, before);
}

/** In a claim. */
export const killedInClaim: Scene = {
  name: 'an agent that is killed in the middle of a claim takes the group to its end when it is back',
  play: inClaim,
};

async function inReturn(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  await at.runPod({ name: 'returned-late' }, group);
  const bound = `/sys/bus/pci/drivers/vfio-pci/${group.leader}`;
  const killed = killAgentWhen(at, `[ ! -e ${bound} ]`);
  await stage.deletePod('returned-late');
  await killed;
  await at.returned(group, before);
}

/** In a return. */
export const killedInReturn: Scene = {
  name: 'an agent that is killed in the middle of a return gives the group back when it is back',
  play: inReturn,
};

async function throughOutages(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const used: FlowGroup = flowGroups.nic;
  const before = await guest.bindings(used.leader);
  await stage.untilAllocatable(used.resource, 1);
  await at.runPod({ name: 'through', stubborn: true, graceSeconds: 1 }, used);
  for (const program of ['kubelet', 'containerd'] as const) {
    await guest.program('kill', program);
    await stays(`the group is out without ${program}`, watchedMs, async () => at.isTaken(used));
    await guest.program('start', program);
    await guest.kubeletIsWell();
    await stage.untilAllocatable(group.resource, 1);
    await stage.untilGroup(
      used.leader,
      'has its pod',
      ({ phase, lease }) => phase === 'Assigned' && lease?.pod?.name === 'through',
    );
    const [container] = (await stage.pod('through'))?.status.containerStatuses ?? [];
    assert.equal(container?.restartCount, 0, program);
    await at.checkTaken(used);
  }
  await stage.removePod('through');
  await at.returned(used, before);
}

/** Kubelet and containerd. */
export const programsRestart: Scene = {
  name: 'a pod keeps its group through a restart of the kubelet and of containerd',
  play: throughOutages,
};
