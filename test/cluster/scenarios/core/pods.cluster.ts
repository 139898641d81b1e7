// Every kind of pod that Kubernetes makes: its group is its own for as long as it lives, and goes back when it ends.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../../stage/install.ts';
import { groups, resources } from '../../stage/machine.ts';
import type { Pod } from '../../stage/objects.ts';
import { podSpec } from '../../stage/pods.ts';
import type { Stage } from '../../stage/stage.ts';
import { stays, until } from '../../stage/wait.ts';

let stage: Stage;
before(async () => {
  stage = await openStage();
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.untilAllocatable(resources.nic, 2);
});
after(async () => await stage?.[Symbol.asyncDispose]());

const wantsGpu = { limits: { [resources.gpu]: 1 } };
const batch = '/apis/batch/v1/namespaces/default/jobs';
const statefulSets = '/apis/apps/v1/namespaces/default/statefulsets';

/** The containers that the kubelet names for the graphics card. */
async function gpuHolders(): Promise<readonly string[]> {
  const holders = await stage.holders();
  return holders
    .filter(({ resource }) => resource === resources.gpu)
    .map(({ pod, container }) => `${pod}/${container}`);
}

test('a container that crashes again and again keeps its group', async () => {
  await stage.createPod({ podName: 'crashing', ...wantsGpu, afterwards: 'exit 3' });
  await stage.untilPod('crashing', 'has restarted twice', ({ status }) =>
    (status.containerStatuses ?? []).some(({ restartCount }) => restartCount >= 2),
  );
  const uid = (await stage.pod('crashing'))?.metadata.uid;
  const { lease } = await stage.untilGroup(
    groups.gpu,
    'has its lease',
    (status) => status.lease?.pod !== undefined,
  );
  assert.equal(lease?.pod?.uid, uid);
  await stays(
    'the group is out',
    2000,
    async () => (await stage.binding(groups.gpu)).driver === 'vfio-pci',
  );
  assert.equal((await stage.group(groups.gpu))?.status?.phase, 'Assigned');
  await stage.removePod('crashing');
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
});

test('what an init container used goes on to the container after it', async () => {
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.runPod({
    podName: 'prepared',
    initContainers: [{ name: 'prepare', ...wantsGpu, afterwards: 'exit 0' }],
    containers: [{ name: 'main', ...wantsGpu }],
  });
  assert((await stage.shown('prepared')).includes(`PCI_RESOURCE_EXAMPLE_COM_GPU=${groups.gpu}`));
  await stage.untilGroup(
    groups.gpu,
    'names the pod',
    ({ lease }) => lease?.pod?.name === 'prepared',
  );
  await stage.removePod('prepared');
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
});

test('a sidecar keeps a group beside that of the main container', async () => {
  const nic = { limits: { [resources.nic]: 1 } };
  await stage.untilAllocatable(resources.nic, 2);
  await stage.runPod({
    podName: 'with-sidecar',
    initContainers: [{ name: 'sidecar', ...nic, restartPolicy: 'Always' }],
    containers: [{ name: 'main', ...nic }],
  });
  const holders = (await stage.holders()).filter(({ resource }) => resource === resources.nic);
  assert.deepEqual(holders.map(({ container }) => container).toSorted(), ['main', 'sidecar']);
  const ids = holders.flatMap(({ deviceIds }) => deviceIds);
  assert.deepEqual(ids.toSorted(), [groups.nicA, groups.nicB]);
  await stage.removePod('with-sidecar');
  await stage.untilGroupPhase(groups.nicA, 'WithHost');
  await stage.untilGroupPhase(groups.nicB, 'WithHost');
});

test('one container gets groups of two resources, or none', async () => {
  await stage.untilAllocatable(resources.nic, 2);
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.runPod({ podName: 'both', limits: { [resources.gpu]: 1, [resources.nic]: 2 } });
  const lines = await stage.shown('both');
  assert(lines.includes(`PCI_RESOURCE_EXAMPLE_COM_GPU=${groups.gpu}`));
  const nics = lines.find((line) => line.startsWith('PCI_RESOURCE_EXAMPLE_COM_NIC=')) ?? '';
  assert.deepEqual(nics.split('=')[1]?.split(',').toSorted(), [groups.nicA, groups.nicB]);
  const readable = lines.filter((line) => /^READ \/dev\/vfio\/\d+$/.test(line));
  assert.equal(readable.length, 3);
  await stage.removePod('both');
  await stage.untilAllocatable(resources.nic, 2);
  await stage.untilAllocatable(resources.gpu, 1);
});

test('a job that is done gives its group back though its pod is still there', async () => {
  const template = {
    spec: { ...podSpec({ ...wantsGpu, afterwards: 'sleep 1; exit 0' }), restartPolicy: 'Never' },
  };
  await stage.create(batch, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'train' },
    spec: { template },
  });
  const pods = '/api/v1/namespaces/default/pods?labelSelector=job-name%3Dtrain';
  await until('the job is done', async () => {
    const list = await stage.get<{ items: readonly Pod[] }>(pods);
    return list?.items.some(({ status }) => status.phase === 'Succeeded') === true ? true : null;
  });
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
  await stage.untilAllocatable(resources.gpu, 1);
  assert.equal((await stage.get<{ items: readonly Pod[] }>(pods))?.items.length, 1);
  await stage.remove(`${batch}/train`, '?propagationPolicy=Foreground');
});

test('a pod of a stateful set comes back under its name and has the group anew', async () => {
  const labels = { app: 'disks' };
  const spec = {
    ...{ replicas: 1, serviceName: 'disks', selector: { matchLabels: labels } },
    template: { metadata: { labels }, spec: podSpec(wantsGpu) },
  };
  await stage.create(statefulSets, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'state' },
    spec,
  });
  const first = await stage.untilPhase('state-0', 'Running');
  await stage.untilGroup(
    groups.gpu,
    'names the first',
    ({ lease }) => lease?.pod?.uid === first.metadata.uid,
  );
  await stage.deletePod('state-0');
  const second = await stage.untilPod(
    'state-0',
    'runs again',
    ({ metadata, status }) => metadata.uid !== first.metadata.uid && status.phase === 'Running',
  );
  await stage.untilGroup(
    groups.gpu,
    'names the second',
    ({ lease }) => lease?.pod?.uid === second.metadata.uid,
  );
  assert.deepEqual(await gpuHolders(), ['state-0/main']);
  await stage.remove(`${statefulSets}/state`, '?propagationPolicy=Foreground');
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
});

test('a pod that the kubelet rejects holds no group for long', async () => {
  await stage.untilAllocatable(resources.nic, 2);
  // Placed by hand, past the scheduler: the second device plugin request of its admission fails.
  const limits = { [resources.nic]: 1, [resources.gpu]: 1 };
  await stage.runPod({ podName: 'has-gpu', ...wantsGpu });
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'rejected' },
    spec: { ...podSpec({ limits }), nodeName: stage.home },
  };
  await stage.create('/api/v1/namespaces/default/pods', body);
  await stage.untilPhase('rejected', 'Failed');
  await stage.untilGroupPhase(groups.nicA, 'WithHost');
  await stage.untilGroupPhase(groups.nicB, 'WithHost');
  assert.deepEqual(await gpuHolders(), ['has-gpu/main']);
  await stage.removePod('rejected');
  await stage.removePod('has-gpu');
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
});

test('a static pod gets a group, and gives it back when its manifest goes', async () => {
  await stage.untilAllocatable(resources.gpu, 1);
  const node = stage.cluster.node(stage.home);
  const file = '/etc/kubernetes/manifests/static.json';
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'static', namespace: 'default' },
    spec: podSpec(wantsGpu),
  };
  node.write(file, JSON.stringify(body));
  await stage.untilPhase(`static-${stage.home}`, 'Running');
  await stage.untilGroupPhase(groups.gpu, 'Assigned');
  node.erase(file);
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
  await stage.untilAllocatable(resources.gpu, 1);
});
