// Pods that do not let go: the group stays out for as long as anybody is inside, whoever says that the pod has gone.
import assert from 'node:assert/strict';
import { stays } from '../../cluster/stage/wait.ts';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';

const group = flowGroups.nic;
/** Two polls of the agent and a list of holders: long enough for it to see that a pod has gone. */
const watchedMs = 15_000;

async function ignoresSignal(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  await at.runPod({ name: 'stubborn', stubborn: true, graceSeconds: 20 }, group);
  await stage.deletePod('stubborn');
  await stays('it keeps its group', watchedMs, async () => await at.isTaken(group));
  assert.notEqual((await stage.pod('stubborn'))?.metadata.deletionTimestamp, undefined);
  await stage.untilPodGone('stubborn');
  await at.returned(group, before);
}

/** SIGTERM. */
export const stubbornPod: Scene = {
  name: 'a pod that ignores SIGTERM keeps its group until it is killed',
  play: ignoresSignal,
};

async function forced(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  await at.runPod({ name: 'forced', stubborn: true }, group);
  // Nobody can end the container now: for the API server the pod is gone, for the kernel it is not.
  await guest.program('pause', 'containerd');
  await stage.deletePod('forced', { force: true });
  await stage.untilPodGone('forced');
  await stays('the group is out', watchedMs, async () => await at.isTaken(group));
  const status = (await stage.group(group.leader))?.status;
  assert.equal(status?.owner, 'Userspace');
  assert.notEqual(status?.phase, 'WithHost');
  await guest.program('resume', 'containerd');
  await at.returned(group, before);
}

/** A forced deletion. */
export const forcedDeletion: Scene = {
  name: 'a pod that is deleted by force while its program is inside has the group until the program lets go',
  play: forced,
};
