// A release of the chart on a real node: tested by its own test, upgraded and rolled back under a running pod, and taken
// away; what stays on the node is what docs/operations.md says.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { laterChart } from '../../chart/later-chart.ts';
import { preparedInstall } from '../harness/product.ts';
import { chartArguments, helm, openStage } from '../stage/install.ts';
import { groups, resources } from '../stage/machine.ts';
import { productNamespace, type Stage } from '../stage/stage.ts';

const install = await preparedInstall();
let stage: Stage;
before(async () => {
  stage = await openStage({ nodes: 1 });
  await stage.untilAllocatable(resources.gpu, 1);
});
after(async () => await stage?.[Symbol.asyncDispose]());

const inNamespace = ['--namespace', productNamespace];

async function rolledOut(): Promise<void> {
  const workload = 'daemonset/wholegroup-agent';
  await stage.kubectl('rollout', 'status', ...inNamespace, workload, '--timeout=60s');
}

async function hasTicket(): Promise<boolean> {
  const { stdout } = await stage.cluster.api.kubectl(['explain', 'ig.spec']);
  return stdout.includes('cordonTicket');
}

test('helm test finds the release whole', async () => {
  const said = await helm(stage.cluster, install, ['test', 'wholegroup', ...inNamespace, '--logs']);
  assert.match(said, /n1: ready\nwholegroup is installed and whole/);
});

test('under an upgrade with later definitions, and a rollback, a pod runs on and the kernel is not started anew', async () => {
  const pod = await stage.runPod({ podName: 'upgraded', limits: { [resources.gpu]: 1 } });
  const [kernel, agent] = [
    await stage.productPod('simulated-kernel'),
    await stage.productPod('agent'),
  ];
  const [release = '', , ...values] = chartArguments(stage.cluster, {});
  const later = laterChart(stage.cluster.api.folder);
  const changed = ['--set', 'agent.logLevel=debug'];
  await helm(stage.cluster, install, ['upgrade', release, later, ...values, ...changed]);
  await rolledOut();
  assert.ok(await hasTicket(), 'the definition has the new field');
  assert.notEqual((await stage.productPod('agent')).metadata.uid, agent.metadata.uid);
  await helm(stage.cluster, install, ['rollback', release, '1', ...inNamespace]);
  await rolledOut();
  assert.ok(!(await hasTicket()), 'the definition is as before');
  const now = await stage.pod('upgraded');
  assert.equal(now?.metadata.uid, pod.metadata.uid);
  assert.equal(now?.status.containerStatuses?.[0]?.restartCount, 0);
  assert.equal((await stage.binding(groups.gpu)).driver, 'vfio-pci');
  assert.equal((await stage.productPod('simulated-kernel')).metadata.uid, kernel.metadata.uid);
  await stage.removePod('upgraded');
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
});

test('uninstalled, it leaves on the node an empty folder for records and nothing else', async () => {
  await stage.kubectl('delete', 'ptp', '--all');
  await helm(stage.cluster, install, ['uninstall', 'wholegroup', ...inNamespace, '--wait']);
  await stage.untilAllocatable(resources.gpu, 0);
  const node = stage.cluster.node('n1');
  const files = (path: string): readonly string[] =>
    existsSync(node.path(path)) ? readdirSync(node.path(path)) : [];
  assert.deepEqual(
    files('/var/lib/wholegroup').filter((name) => name.endsWith('.json') && !/last/.test(name)),
    [],
    'records',
  );
  assert.deepEqual(files('/run/cdi'), []);
  const sockets = files('/var/lib/kubelet/device-plugins').filter((name) =>
    /wholegroup|nvidia|example/.test(name),
  );
  assert.deepEqual(sockets, []);
  const { stdout } = await stage.cluster.api.kubectl([
    'get',
    'all,lease',
    ...inNamespace,
    '-o',
    'name',
  ]);
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .filter((name) => !name.startsWith('pod/')),
    ['lease.coordination.k8s.io/wholegroup-controller'],
  );
});
