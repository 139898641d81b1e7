// A release that is taken away while a pod has a group: the pod runs on and nothing is touched, and nothing goes back when
// it ends; the next release finds the record and gives back. The nodes' kernel outlives the release, as kernels do.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { preparedInstall } from '../harness/product.ts';
import { chartArguments, helm, openStage } from '../stage/install.ts';
import { groups, resources } from '../stage/machine.ts';
import { productNamespace, type Stage } from '../stage/stage.ts';
import { stays, until } from '../stage/wait.ts';

const install = await preparedInstall();
const inNamespace = ['--namespace', productNamespace];
const ofComponent = (name: string): string[] => ['-l', `app.kubernetes.io/component=${name}`];
const vfio = 'vfio-pci,vfio-pci';
let stage: Stage;
before(async () => {
  stage = await openStage();
  await stage.untilAllocatable(resources.gpu, 1);
});
after(async () => await stage?.[Symbol.asyncDispose]());

async function drivers(): Promise<string> {
  return (await stage.gpuDrivers(groups.gpu)).join();
}

test('uninstalled while a pod has a group, the pod runs on, and record and spec stay', async () => {
  await stage.runPod({ podName: 'tenant', limits: { [resources.gpu]: 1 } });
  await stage.untilGroupPhase(groups.gpu, 'Assigned');
  // The simulated kernel is part of the release, and a real one is not: its pod is left where it is.
  await helm(stage.cluster, install, [
    ...['uninstall', 'wholegroup', ...inNamespace, '--cascade', 'orphan'],
  ]);
  for (const component of ['agent', 'controller']) {
    await stage.kubectl(
      'delete',
      ...inNamespace,
      'daemonset,deployment,replicaset,pod',
      ...ofComponent(component),
    );
  }
  await stage.untilAllocatable(resources.gpu, 0);
  await stays(
    'the pod runs and has its devices',
    3000,
    async () =>
      (await stage.pod('tenant'))?.status.phase === 'Running' && (await drivers()) === vfio,
  );
  const [container] = (await stage.pod('tenant'))?.status.containerStatuses ?? [];
  assert.equal(container?.restartCount, 0);
  const node = stage.cluster.node(stage.home);
  const files = (path: string): readonly string[] => readdirSync(node.path(path));
  assert.equal(files('/run/cdi').length, 1);
  assert.ok(files('/var/lib/wholegroup').some((name) => name.endsWith('.json')));
});

test('without an agent nothing goes back when the pod ends', async () => {
  await stage.removePod('tenant');
  await stays('the devices are as they were', 3000, async () => (await drivers()) === vfio);
});

test('the next release gives back what the one before it took', async () => {
  await helm(stage.cluster, install, ['install', ...chartArguments(stage.cluster, {})]);
  await until('the drivers are back', async () =>
    (await drivers()) === 'nvidia,snd_hda_intel' ? true : null,
  );
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
  await stage.untilAllocatable(resources.gpu, 1);
  const node = stage.cluster.node(stage.home);
  assert.deepEqual(readdirSync(node.path('/run/cdi')), []);
});
