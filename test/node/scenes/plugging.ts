// Hardware that comes and goes under pods, by QEMU's monitor: the node goes on, and says what it sees.
import assert from 'node:assert/strict';
import { groupObjectName } from '../../../src/api/iommu-group.ts';
import { until } from '../../cluster/stage/wait.ts';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';

const isPresent = async (at: NodeStage, address: string): Promise<boolean> =>
  (await at.guest.run(`[ -e /sys/bus/pci/devices/${address} ]`)).status === 0;

async function unplugged(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const { nic, twoFunctions } = flowGroups;
  const before = await guest.bindings(nic.leader);
  await stage.untilAllocatable(nic.resource, 1);
  await at.runPod({ name: 'unplugged', stubborn: true, graceSeconds: 1 }, nic);
  await guest.monitor('device_del free');
  await at.hears('unplugged', `${nic.leader} is wanted back`);
  // The kernel waits for the pod; whoever else wants something of it is served.
  const other = await guest.bindings(twoFunctions.leader);
  await at.runPod({ name: 'beside' }, twoFunctions);
  await stage.removePod('beside');
  await at.returned(twoFunctions, other);
  assert.equal((await stage.pod('unplugged'))?.status.phase, 'Running');
  await stage.removePod('unplugged');
  await until('the function is gone', async () =>
    (await isPresent(at, nic.leader)) ? null : true,
  );
  await stage.untilAllocatable(nic.resource, 0);
  await guest.monitor('device_add e1000e,id=free,bus=rp3,mac=52:54:00:00:00:11');
  await until('the function is back', async () =>
    (await isPresent(at, nic.leader)) ? true : null,
  );
  await at.returned(nic, before);
}

/** A device under a pod. */
export const hotUnplug: Scene = {
  name: 'a device that is pulled out under a pod is asked for, goes when the pod goes, and is offered when it is back',
  play: unplugged,
};

const late = '0000:06:03.0';

async function companion(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const group = flowGroups.behindBridge;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  await at.runPod({ name: 'has-bridge' }, group);
  const taken = await guest.bindings(group.leader);
  await guest.monitor('device_add e1000,id=late,bus=pb0,addr=3.0');
  await until('the function is there', async () => ((await isPresent(at, late)) ? true : null));
  const object = groupObjectName(guest.name, group.leader);
  await stage.untilGroup(group.leader, 'has the newcomer', ({ members }) =>
    members.some(({ address }) => address === late),
  );
  assert.match(await stage.untilEvent(object, 'GroupDegraded'), /joined/);
  const lines = (await guest.bindings(group.leader)).split('\n');
  assert.equal(lines.filter((line) => !line.startsWith(late)).join('\n'), taken);
  assert.equal((await stage.pod('has-bridge'))?.status.phase, 'Running');
  await guest.monitor('device_del late');
  await until('the function is gone', async () => ((await isPresent(at, late)) ? null : true));
  await stage.removePod('has-bridge');
  await at.returned(group, before);
}

/** A companion. */
export const hotPlug: Scene = {
  name: 'a function that is plugged into the group of a running pod is told, and nothing is touched',
  skip: { '6.1': 'Linux 6.1.192 stops in a BUG of its own (list_add corruption)' },
  play: companion,
};

async function virtualFunctions(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const { physicalFunction, virtualFunction } = flowGroups;
  const owner = await guest.bindings(physicalFunction.leader);
  const count = `/sys/bus/pci/devices/${physicalFunction.leader}/sriov_numvfs`;
  await guest.say(`echo 2 >${count}`);
  await stage.untilAllocatable(virtualFunction.resource, 2);
  const second = { ...virtualFunction, leader: '0000:07:10.2' };
  const before = [
    await guest.bindings(virtualFunction.leader),
    await guest.bindings(second.leader),
  ];
  // Which of the two the kubelet chooses is its own affair: the first pod gets either.
  await at.createAnyPod({ name: 'vf-1' }, virtualFunction.resource);
  await at.holds('vf-1');
  const taken = [await at.isTaken(virtualFunction), await at.isTaken(second)];
  assert.equal(taken.filter(Boolean).length, 1, 'one pod has one function');
  await at.createAnyPod({ name: 'vf-2' }, virtualFunction.resource);
  await at.holds('vf-2');
  await at.checkTaken(virtualFunction);
  await at.checkTaken(second);
  assert.equal(await guest.bindings(physicalFunction.leader), owner);
  await stage.removePod('vf-1');
  await stage.removePod('vf-2');
  for (const [index, { leader }] of [virtualFunction, second].entries()) {
    await stage.untilGroupPhase(leader, 'WithHost');
    assert.equal(await guest.bindings(leader), before[index]);
  }
  await guest.say(`echo 0 >${count}`);
  await stage.untilAllocatable(physicalFunction.resource, 1);
}

/** SR-IOV. */
export const sriov: Scene = {
  name: 'virtual functions go to pods one by one while the physical one stays with the host',
  play: virtualFunctions,
};
