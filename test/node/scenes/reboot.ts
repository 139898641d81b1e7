// The node's power is cut while pods have groups, and it comes back with another card in it: groups have other numbers. A
// pod by CDI has today's nodes; one whose nodes are fixed is refused.
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

/** A pod whose answer names nodes: what the kubelet was told before delivery by CDI was chosen. */
async function runFixed(at: NodeStage): Promise<void> {
  await upgrade(at, ['delivery=device-nodes']);
  await at.stage.untilAllocatable(fixed.resource, 1);
  await at.runPod({ name: 'fixed', lasting: true }, fixed);
  await upgrade(at, []);
}

/** Returns when a pod is refused because the node that it was promised is not its group's any more. */
async function isRefused(at: NodeStage, promised: string): Promise<void> {
  const why = new RegExp(`was promised ${promised}, .*; delete the pod to get a new allocation`);
  await at.stage.untilPod('fixed', 'is refused for its group', ({ status }) => {
    const { state } = status.containerStatuses?.[0] ?? {};
    return why.test(state?.waiting?.message ?? '');
  });
}

async function rebooted(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(group.leader);
  const beforeAlone = await guest.bindings(alone.leader);
  const beforeFixed = await guest.bindings(fixed.leader);
  await runFixed(at);
  const promised = `/dev/vfio/${await guest.group(fixed.leader)}`;
  await stage.untilAllocatable(group.resource, 1);
  await stage.untilAllocatable(alone.resource, 1);
  await createSet(at);
  await at.runPod({ name: 'alone' }, alone);
  await hasTodaysNode(at);
  const number = await guest.group(group.leader);
  await guest.reboot(shapes['node-renumbered']);
  assert.notEqual(await guest.group(group.leader), number, 'the group has the number it had');
  await hasTodaysNode(at);
  await at.checkTaken(group);
  await isRefused(at, promised);
  await stage.removePod('fixed');
  await at.returned(fixed, beforeFixed);
  // A pod that nobody makes anew ends with its node: no kubelet starts it, and nothing is held for it.
  await stage.untilPhase('alone', 'Failed');
  await at.returned(alone, beforeAlone);
  await stage.removePod('alone');
  await stage.remove(`${sets}/kept`, '?propagationPolicy=Foreground');
  await at.returned(group, before);
}

/** A reboot. */
export const reboot: Scene = {
  name: 'after a reboot with other group numbers the pod of a set has the nodes of today, and one with fixed nodes is refused',
  play: rebooted,
};
