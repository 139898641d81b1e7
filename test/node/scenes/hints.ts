// The agent hears of changes from the kernel, in its container and with the privileges that it ships with: it need not
// find them by its poll.
import assert from 'node:assert/strict';
import { productNamespace } from '../../cluster/stage/stage.ts';
import { until } from '../../cluster/stage/wait.ts';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';

const { leader } = flowGroups.nic;

async function told(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const { metadata } = await stage.productPod('agent');
  const log = await stage.kubectl('logs', '-n', productNamespace, metadata.name);
  assert.match(log, /"kernel-hints-listening"/);
  assert.doesNotMatch(log, /"kernel-hints-(without-udevadm|interrupted)"/);
  const heard = async (): Promise<number> =>
    await stage.metric('wholegroup_hints_total', 'source="uevent"');
  const looked = async (): Promise<number> =>
    await stage.metric('wholegroup_surveys_total', 'trigger="hint"');
  const before = { heard: await heard(), looked: await looked() };
  // It has no driver for a moment.
  const driver = `/sys/bus/pci/devices/${leader}/driver`;
  await guest.say(
    `own=$(readlink -f ${driver}) && echo ${leader} >$own/unbind && [ ! -e ${driver} ] && echo ${leader} >$own/bind`,
  );
  await until('the agent has heard of it and has looked', async () =>
    (await heard()) > before.heard && (await looked()) > before.looked ? true : null,
  );
  await stage.untilGroupPhase(leader, 'WithHost');
  await stage.untilAllocatable(flowGroups.nic.resource, 1);
}

/** Uevents. */
export const hints: Scene = {
  name: 'the agent hears from the kernel what changes, as it is shipped',
  play: told,
};
