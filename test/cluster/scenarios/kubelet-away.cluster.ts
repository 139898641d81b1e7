// The kubelet of a node is away for minutes: the cluster gives the node up, evicts its pod and even forgets it. Its
// container runs on all the while, so its group stays out, until the kubelet is back and has ended it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../stage/install.ts';
import { groups, resources } from '../stage/machine.ts';
import { podSpec } from '../stage/pods.ts';
import type { Stage } from '../stage/stage.ts';
import { stays, until } from '../stage/wait.ts';

/** Longer than a node may be silent before it is given up, and than what evicts its pods takes after that. */
const awayMs = 180_000;
const givenUpMs = 120_000;
const podName = 'given-up';
let stage: Stage;
before(async () => {
  // A cluster whose nodes are all silent gives none up: it would be its own network.
  stage = await openStage({ nodes: 2 });
  await stage.untilAllocatable(resources.gpu, 1);
});
after(async () => await stage?.[Symbol.asyncDispose]());

async function drivers(): Promise<string> {
  return (await stage.gpuDrivers(groups.gpu)).join();
}

const isOut = async (): Promise<boolean> =>
  (await drivers()) === 'vfio-pci,vfio-pci' &&
  (await stage.group(groups.gpu))?.status?.phase === 'Assigned';

test('while the kubelet is away for three minutes, the group of an evicted and forgotten pod stays out', async () => {
  const tolerations = ['not-ready', 'unreachable'].map((name) => ({
    ...{ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect: 'NoExecute' },
    tolerationSeconds: 5,
  }));
  const spec = { ...podSpec({ node: stage.home, limits: { [resources.gpu]: 1 } }), tolerations };
  const pods = '/api/v1/namespaces/default/pods';
  await stage.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: podName }, spec });
  await stage.untilPhase(podName, 'Running');
  await until('the group is assigned', async () => ((await isOut()) ? true : null));
  const endMs = performance.now() + awayMs;
  await stage.cluster.node(stage.home).stop('kubelet');
  await stage.untilPod(
    podName,
    'is evicted',
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
    givenUpMs,
  );
  assert.ok(await isOut(), 'the group stays out though its pod is evicted');
  await stage.deletePod(podName, { force: true });
  assert.equal(await stage.pod(podName), null);
  await stays('the group is out', endMs - performance.now(), isOut, 1000);
});

test('when the kubelet is back it ends the container, and the host has its drivers back', async () => {
  stage.cluster.node(stage.home).start('kubelet');
  await until('the drivers are back', async () =>
    (await drivers()) === 'nvidia,snd_hda_intel' ? true : null,
  );
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
  await stage.untilAllocatable(resources.gpu, 1);
});
