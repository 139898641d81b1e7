// Whatever goes down, a running pod keeps its group, no second one gets it, and the host has it back when the pod ends.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../../stage/install.ts';
import { groups, resources, sound } from '../../stage/machine.ts';
import { killPod } from '../../stage/product-process.ts';
import type { Stage } from '../../stage/stage.ts';
import { stays, until } from '../../stage/wait.ts';

let stage: Stage;
before(async () => {
  stage = await openStage();
  await stage.untilAllocatable(resources.gpu, 1);
});
after(async () => await stage?.[Symbol.asyncDispose]());

const wantsGpu = { limits: { [resources.gpu]: 1 } };
const vfio = 'vfio-pci,vfio-pci';
const native = 'nvidia,snd_hda_intel';

async function killAgent(): Promise<void> {
  killPod((await stage.productPod('agent')).metadata.uid);
}

async function drivers(): Promise<string> {
  return (await stage.gpuDrivers(groups.gpu)).join();
}

/** The pod is deleted and the group goes back to the host and is offered again. */
async function ends(pod: string): Promise<void> {
  await stage.removePod(pod);
  await until('the drivers are back', async () => ((await drivers()) === native ? true : null));
  await stage.untilAllocatable(resources.gpu, 1);
}

test('an agent that is killed while it takes a group takes it to its end after it is back', async () => {
  const fault = { kind: 'unbind-hang', address: sound as never, times: 1 } as const;
  await stage.simulate('injectFault', { fault });
  await stage.createPod({ podName: 'claimed-late', ...wantsGpu });
  await stage.untilGroupPhase(groups.gpu, 'Claiming');
  // An agent that is killed in the middle of Allocate costs the pod its admission, and that is the kubelet's rule.
  await until('the kubelet has its answer', async () =>
    (await stage.holders()).some(({ pod }) => pod === 'claimed-late') ? true : null,
  );
  await killAgent();
  await stage.simulate('clearFaults', {});
  await stage.untilPhase('claimed-late', 'Running', 60_000);
  assert.equal(await drivers(), vfio);
});

test('an agent that is killed while a pod has the group finds the pod again', async () => {
  await killAgent();
  await stays(
    'the pod runs and has its devices',
    3000,
    async () =>
      (await stage.pod('claimed-late'))?.status.phase === 'Running' && (await drivers()) === vfio,
  );
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.untilGroup(
    groups.gpu,
    'is assigned to the pod',
    ({ phase, lease }) => phase === 'Assigned' && lease?.pod?.name === 'claimed-late',
  );
  assert.equal(
    (await stage.holders()).filter(({ resource }) => resource === resources.gpu).length,
    1,
  );
});

test('an agent that is killed while it gives a group back gives it back after it is back', async () => {
  await stage.simulate('injectFault', {
    fault: { kind: 'probe-errno', errno: 'EAGAIN', address: sound as never, times: 2 },
  });
  await stage.deletePod('claimed-late');
  await stage.untilGroupPhase(groups.gpu, 'Returning');
  await killAgent();
  await stage.simulate('clearFaults', {});
  await until('the drivers are back', async () => ((await drivers()) === native ? true : null));
  await stage.untilAllocatable(resources.gpu, 1);
});

test('a kubelet that restarts changes nothing for a running pod, and gets its devices listed again', async () => {
  await stage.runPod({ podName: 'through-kubelet', ...wantsGpu });
  const node = stage.cluster.node(stage.home);
  const uid = (await stage.pod('through-kubelet'))?.metadata.uid;
  await node.stop('kubelet');
  await stays('the devices are out', 1500, async () => (await drivers()) === vfio);
  node.start('kubelet');
  await until('the kubelet lists the holder again', async () => {
    const holders = await stage.holders().catch(() => []);
    return holders.some(({ pod }) => pod === 'through-kubelet') ? true : null;
  });
  await stays('the devices are out', 4000, async () => (await drivers()) === vfio);
  assert.equal((await stage.pod('through-kubelet'))?.metadata.uid, uid);
  const [container] = (await stage.pod('through-kubelet'))?.status.containerStatuses ?? [];
  assert.equal(container?.restartCount, 0);
});

test('a pod that is deleted while the kubelet is away gives its group back when the kubelet is back', async () => {
  const node = stage.cluster.node(stage.home);
  await node.stop('kubelet');
  await stage.deletePod('through-kubelet');
  await stays('the devices are out', 2000, async () => (await drivers()) === vfio);
  node.start('kubelet');
  await until('the drivers are back', async () => ((await drivers()) === native ? true : null));
  await stage.untilAllocatable(resources.gpu, 1);
});

test('a kubelet that restarts while a group is being taken starts the pod afterwards', async () => {
  const node = stage.cluster.node(stage.home);
  await stage.simulate('injectFault', {
    fault: { kind: 'unbind-hang', address: sound as never, times: 1 },
  });
  await stage.createPod({ podName: 'kubelet-midway', ...wantsGpu });
  await stage.untilGroupPhase(groups.gpu, 'Claiming');
  await until('the kubelet has its answer', async () =>
    (await stage.holders()).some(({ pod }) => pod === 'kubelet-midway') ? true : null,
  );
  await node.stop('kubelet');
  await stage.simulate('clearFaults', {});
  node.start('kubelet');
  await stage.untilPhase('kubelet-midway', 'Running', 60_000);
  assert.equal(await drivers(), vfio);
  await ends('kubelet-midway');
});

test('a containerd that restarts changes nothing for a running pod', async () => {
  await stage.runPod({ podName: 'through-containerd', ...wantsGpu });
  const node = stage.cluster.node(stage.home);
  await node.stop('containerd');
  await stays('the devices are out', 1000, async () => (await drivers()) === vfio);
  node.start('containerd');
  await node.containerdReady();
  await stays(
    'the pod runs',
    3000,
    async () =>
      (await stage.pod('through-containerd'))?.status.phase === 'Running' &&
      (await drivers()) === vfio,
  );
  await ends('through-containerd');
});

test('without an API server a pod keeps its group, and its container can restart', async () => {
  await stage.createPod({
    podName: 'offline',
    ...wantsGpu,
    afterwards: 'trap "exit 0" TERM; sleep 4; exit 1',
  });
  await stage.untilPhase('offline', 'Running');
  await stage.cluster.api.kill();
  const node = stage.cluster.node(stage.home);
  const starts = (): number =>
    node
      .logOf('kubelet')
      .split('\n')
      .filter((line) => line.includes('"ContainerStarted"') && line.includes('default/offline'))
      .length;
  const before = starts();
  await until('the container has started again', async () => {
    assert.equal(await drivers(), vfio);
    return starts() > before ? true : null;
  });
  await stage.cluster.api.restart();
  await stage.untilGroup(groups.gpu, 'is assigned', ({ phase }) => phase === 'Assigned');
  await ends('offline');
});
