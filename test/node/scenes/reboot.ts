// The node's power is cut while pods have groups, and it comes back with another card in it: groups have other numbers. No
// pod gets yesterday's nodes: that of a set is made anew and has today's, one that nobody makes anew ends with its reason.
import assert from 'node:assert/strict';
import { until } from '../../cluster/stage/wait.ts';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import { shapes } from '../../kernel/rig/shapes.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';
import { upgrade } from '../upgrade.ts';
import { vfioPodSpec } from '../vfio-pod.ts';

const group = flowGroups.twoFunctions;
const alone = flowGroups.nic;
const fixed = flowGroups.behindBridge;
const sets = '/apis/apps/v1/namespaces/default/statefulsets';

/** A set of one pod that wants the group. */
async function createSet(at: NodeStage): Promise<void> {
  const addresses = await at.guest.endpoints(group.leader);
  const pod = { name: 'kept', resource: group.resource, addresses };
  const spec = { ...vfioPodSpec(pod), restartPolicy: 'Always' };
  const labels = { app: 'kept' };
  await at.stage.create(sets, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'kept' },
    spec: {
      ...{ serviceName: 'kept', replicas: 1, selector: { matchLabels: labels } },
      template: { metadata: { labels }, spec },
    },
  });
}

/** Returns when the set's pod has today's node; the pod's UID. */
async function hasTodaysNode(at: NodeStage): Promise<string> {
  const today = `NODE /dev/vfio/${await at.guest.group(group.leader)}`;
  return await until(
    `kept-0 has ${today}`,
    async () => {
      const pod = await at.stage.pod('kept-0');
      const lines = (await at.stage.logs('kept-0')).split('\n');
      const has = lines.includes(today) && lines.includes('holding');
      return has && pod?.status.phase === 'Running' ? pod.metadata.uid : null;
    },
    { tell: async () => await at.stage.tellPod('kept-0') },
  );
}

/**
 * Returns when a pod whose answer names yesterday's node has been rejected. The kubelet does that itself: it admits pods
 * before the agent, which is a pod, can offer anything, and none whose devices nobody offers.
 */
async function isRejected(at: NodeStage, name: string): Promise<void> {
  const { status } = await at.stage.untilPhase(name, 'Failed');
  assert.match(status.message ?? '', /cannot allocate unhealthy devices/);
}

async function rebooted(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(group.leader);
  const beforeAlone = await guest.bindings(alone.leader);
  const beforeFixed = await guest.bindings(fixed.leader);
  await stage.untilAllocatable(group.resource, 1);
  await stage.untilAllocatable(alone.resource, 1);
  await createSet(at);
  await at.runPod({ name: 'alone' }, alone);
  await hasTodaysNode(at);
  // From here on answers name nodes; the set's pod was promised its group by CDI.
  await upgrade(at, ['delivery=device-nodes']);
  await stage.untilAllocatable(fixed.resource, 1);
  await at.runPod({ name: 'fixed', lasting: true }, fixed);
  const number = await guest.group(group.leader);
  await guest.reboot(shapes['node-renumbered']);
  assert.notEqual(await guest.group(group.leader), number, 'the group has the number it had');
  await hasTodaysNode(at);
  await at.checkTaken(group);
  // Nothing is held for pods that ended with their node.
  await isRejected(at, 'fixed');
  await at.returned(fixed, beforeFixed);
  await stage.removePod('fixed');
  await isRejected(at, 'alone');
  await at.returned(alone, beforeAlone);
  await stage.removePod('alone');
  await stage.remove(`${sets}/kept`, '?propagationPolicy=Foreground');
  await at.returned(group, before);
}

/** A reboot. */
export const reboot: Scene = {
  name: 'after a reboot with other group numbers the pod of a set has the nodes of today, and one with fixed nodes is rejected',
  play: rebooted,
};
