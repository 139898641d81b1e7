// The core: a whole group goes to a pod and comes back; a blocked group is not offered, and says why.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../../stage/install.ts';
import { groups, ownerOfNodes, resources, sound } from '../../stage/machine.ts';
import type { Stage } from '../../stage/stage.ts';
import { stays, until } from '../../stage/wait.ts';

let stage: Stage;
before(async () => {
  stage = await openStage();
});
after(async () => await stage?.[Symbol.asyncDispose]());

const wantsGpu = { limits: { [resources.gpu]: 1 } };
const native = ['nvidia', 'snd_hda_intel'];
const vfio = ['vfio-pci', 'vfio-pci'];

test('groups that can be released are allocatable, and only those', async () => {
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.untilAllocatable(resources.nic, 2);
  await stage.untilAllocatable(resources.accelerator, 1);
  assert.equal(await stage.allocatable(resources.disk), 0);
});

test('a group that is in use is not allocatable, and kubectl says why and what to do', async () => {
  const { blockers = [] } = await stage.untilGroup(groups.disk, 'is blocked', (status) =>
    (status.blockers ?? []).some(({ kind }) => kind === 'RootDisk'),
  );
  const table = await stage.kubectl('get', 'ig');
  const line = table.split('\n').find((each) => each.includes('0000-04-00-0')) ?? '';
  assert.match(line, /WithHost +example\.com\/disk +False +RootDisk/);
  assert(blockers.every(({ message, remedy }) => message !== '' && remedy !== ''));
  await stage.createPod({ podName: 'wants-disk', limits: { [resources.disk]: 1 } });
  await stage.untilPod('wants-disk', 'cannot be scheduled', ({ status }) =>
    (status.conditions ?? []).some(
      ({ reason, message = '' }) =>
        reason === 'Unschedulable' && message.includes('Insufficient example.com/disk'),
    ),
  );
  await stage.removePod('wants-disk');
});

test('a pod gets the whole group, named in its environment, with its device nodes', async () => {
  const pod = await stage.runPod({ podName: 'gpu-1', ...wantsGpu });
  assert.deepEqual(await stage.gpuDrivers(groups.gpu), vfio);
  const { group } = await stage.binding(groups.gpu);
  const lines = await stage.shown('gpu-1');
  assert(lines.includes(`PCI_RESOURCE_EXAMPLE_COM_GPU=${groups.gpu}`), lines.join('\n'));
  const members = lines.find((line) => /^WHOLEGROUP_.*_MEMBERS=/.test(line)) ?? '';
  assert.equal(members.split('=')[1], [groups.gpu, sound].join(','));
  const nodes = lines.filter((line) => line.startsWith('READ '));
  assert.deepEqual(nodes, [`READ /dev/vfio/${group}`, 'READ /dev/vfio/vfio'].toSorted());
  const status = await stage.untilGroup(
    groups.gpu,
    'names the pod',
    ({ lease }) => lease?.pod !== undefined,
  );
  assert.equal(status.phase, 'Assigned');
  assert.equal(status.lease?.pod?.uid, pod.metadata.uid);
  const holders = (await stage.holders()).filter(({ resource }) => resource === resources.gpu);
  assert.deepEqual(
    holders.map(({ pod: name, container, deviceIds }) => ({ name, container, deviceIds })),
    [{ name: 'gpu-1', container: 'main', deviceIds: [groups.gpu] }],
  );
  assert.equal(await stage.metric('wholegroup_groups{', 'phase="Assigned"'), 1);
});

test('a second pod for the group waits, and starts when the first has gone', async () => {
  await stage.createPod({ podName: 'gpu-2', ...wantsGpu });
  await stage.untilPod('gpu-2', 'waits', ({ status }) =>
    (status.conditions ?? []).some(({ reason }) => reason === 'Unschedulable'),
  );
  await stays(
    'the second pod waits',
    1000,
    async () => (await stage.pod('gpu-2'))?.status.phase === 'Pending',
  );
  await stage.removePod('gpu-1');
  await stage.untilPhase('gpu-2', 'Running');
  const { lease } = await stage.untilGroup(
    groups.gpu,
    'names the second pod',
    (status) => status.lease?.pod?.name === 'gpu-2',
  );
  assert.equal(lease?.pod?.name, 'gpu-2');
});

test('when the pod has gone, the host has its drivers back and the group is offered again', async () => {
  await stage.removePod('gpu-2');
  const goneAtMs = performance.now();
  await until('the drivers are back', async () =>
    (await stage.gpuDrivers(groups.gpu)).join() === native.join() ? true : null,
  );
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
  await stage.untilAllocatable(resources.gpu, 1);
  console.log(`deletion to offered again: ${Math.round(performance.now() - goneAtMs)} ms`);
  assert.equal((await stage.binding(groups.gpu)).override, null);
});

test('no container starts before the whole group is taken', async () => {
  await stage.simulate('injectFault', {
    fault: { kind: 'unbind-hang', address: sound as never, times: 1 },
  });
  await stage.createPod({ podName: 'held', ...wantsGpu });
  await stage.untilGroupPhase(groups.gpu, 'Claiming');
  await stays('the container waits', 2000, async () => {
    const [container] = (await stage.pod('held'))?.status.containerStatuses ?? [];
    return container?.state.running === undefined;
  });
  await stage.simulate('clearFaults', {});
  await stage.untilPhase('held', 'Running');
  assert.deepEqual(await stage.gpuDrivers(groups.gpu), vfio);
  await stage.removePod('held');
  await stage.untilAllocatable(resources.gpu, 1);
});

test('the nodes belong to the user that the policy names, so that a pod without root can open them', async () => {
  const limits = { [resources.accelerator]: 1 };
  await stage.runPod({ podName: 'plain-user', limits, user: ownerOfNodes });
  const lines = await stage.shown('plain-user');
  const { group } = await stage.binding(groups.accelerator);
  assert(
    lines.includes(`NODE /dev/vfio/${group} ${ownerOfNodes}:${ownerOfNodes} 660`),
    lines.join('\n'),
  );
  assert(lines.includes(`READ /dev/vfio/${group}`));
  await stage.removePod('plain-user');
});

test('a pod deleted by force gives the group back too', async () => {
  await stage.runPod({ podName: 'forced', ...wantsGpu });
  await stage.deletePod('forced', { force: true });
  await until('the drivers are back', async () =>
    (await stage.gpuDrivers(groups.gpu)).join() === native.join() ? true : null,
  );
  await stage.untilAllocatable(resources.gpu, 1);
});
