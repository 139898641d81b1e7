// Two nodes: policies for some of them, and nodes that are drained, upgraded, rebooted and taken away.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chartArguments, helm, openStage } from '../stage/install.ts';
import { groups, policies, policiesPath, policy, resources } from '../stage/machine.ts';
import type { Pod } from '../stage/objects.ts';
import { killPod, signalPod } from '../stage/product-process.ts';
import { preparedInstall } from '../harness/product.ts';
import { productNamespace, type Stage } from '../stage/stage.ts';
import { stays, until } from '../stage/wait.ts';

const special = 'example.com/special';
const set = ['controller.replicas=2'];
let stage: Stage;
before(async () => {
  stage = await openStage({
    ...{ nodes: 2, labels: { n2: { pool: 'special' } }, set },
    offered: [
      ...policies.filter((each) => !JSON.stringify(each).includes('accelerator')),
      policy('special', {
        resourceName: special,
        nodeSelector: { matchLabels: { pool: 'special' } },
        devices: [{ vendor: '1ae0', device: '0027' }],
      }),
    ],
  });
});
after(async () => await stage?.[Symbol.asyncDispose]());

test('a policy for some nodes offers on those alone, and its pod goes there', async () => {
  await stage.untilAllocatable(special, 1, { node: 'n2' });
  await stage.untilAllocatable(resources.gpu, 1, { node: 'n1' });
  await stage.untilAllocatable(resources.gpu, 1, { node: 'n2' });
  assert.equal(await stage.allocatable(special, 'n1'), 0);
  const pod = await stage.runPod({ podName: 'placed', limits: { [special]: 1 } });
  assert.equal(pod.spec.nodeName, 'n2');
  assert.equal((await stage.binding(groups.accelerator, 'n2')).driver, 'vfio-pci');
  assert.equal((await stage.binding(groups.accelerator, 'n1')).driver, null);
  await stage.removePod('placed');
});

test('another controller takes over when the leader hangs, and the two never lead together', async () => {
  const controllers = async (): Promise<readonly Pod[]> => {
    const selector = 'labelSelector=app.kubernetes.io/component=controller';
    const path = `/api/v1/namespaces/${productNamespace}/pods?${selector}`;
    return (await stage.get<{ items: readonly Pod[] }>(path))?.items ?? [];
  };
  const holder = async (): Promise<string> => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${productNamespace}/leases/wholegroup-controller`;
    const lease = await stage.get<{ spec: { holderIdentity?: string } }>(path);
    return lease?.spec.holderIdentity ?? '';
  };
  const first = await until('there is a leader', async () =>
    (await holder()) === '' ? null : await holder(),
  );
  const leader = (await controllers()).find(({ metadata }) => first.includes(metadata.name));
  assert(leader !== undefined, `${first} is no pod`);
  signalPod(leader.metadata.uid, 'SIGSTOP');
  await until(
    'another one leads',
    async () => (['', first].includes(await holder()) ? null : true),
    { limitMs: 60_000 },
  );
  await stage.create(
    policiesPath,
    policy('later', { resourceName: 'example.com/later', devices: [{ vendor: 'ffff' }] }),
  );
  await until('it does its work', async () => {
    const object = await stage.get<{ status?: { observedGeneration?: number } }>(
      `${policiesPath}/later`,
    );
    return object?.status?.observedGeneration === undefined ? null : true;
  });
  const second = await holder();
  signalPod(leader.metadata.uid, 'SIGCONT');
  await stays('the new one leads', 5000, async () => (await holder()) === second);
});

test('an upgrade of the agents changes nothing for a running pod', async () => {
  await stage.runPod({ podName: 'through-upgrade', node: 'n2', limits: { [resources.gpu]: 1 } });
  const before = await stage.productPod('agent', 'n2');
  const install = await preparedInstall();
  const wanted = [...set, 'agent.podAnnotations.round=second'];
  await helm(stage.cluster, install, [
    'upgrade',
    ...chartArguments(stage.cluster, { set: wanted }),
  ]);
  await stage.kubectl(
    'rollout',
    'status',
    '-n',
    productNamespace,
    'daemonset/wholegroup-agent',
    '--timeout=120s',
  );
  assert.notEqual((await stage.productPod('agent', 'n2')).metadata.uid, before.metadata.uid);
  const pod = await stage.pod('through-upgrade');
  assert.equal(pod?.status.containerStatuses?.[0]?.restartCount, 0);
  assert.equal((await stage.binding(groups.gpu, 'n2')).driver, 'vfio-pci');
  await stage.untilAllocatable(resources.nic, 2, { node: 'n2' });
  await stage.runPod({ podName: 'after-upgrade', node: 'n2', limits: { [resources.nic]: 1 } });
  await stage.removePod('after-upgrade');
});

test('a drained node has all its devices back', async () => {
  await stage.kubectl(
    'drain',
    'n2',
    '--ignore-daemonsets',
    '--force',
    '--delete-emptydir-data',
    '--timeout=60s',
  );
  await stage.untilGroupPhase(groups.gpu, 'WithHost', { node: 'n2' });
  assert.equal((await stage.binding(groups.gpu, 'n2')).driver, 'nvidia');
  await stage.kubectl('uncordon', 'n2');
  await stage.untilAllocatable(resources.gpu, 1, { node: 'n2' });
});

test('after a reboot with other group numbers no container starts with the nodes of before', async () => {
  await stage.untilAllocatable(resources.gpu, 1, { node: 'n2' });
  const pod = await stage.runPod({
    podName: 'rebooted',
    node: 'n2',
    limits: { [resources.gpu]: 1 },
  });
  const before = (await stage.binding(groups.gpu, 'n2')).group;
  const node = stage.cluster.node('n2');
  await node.stop('kubelet');
  const agent = await stage.productPod('agent', 'n2');
  for (const { metadata } of [pod, agent]) killPod(metadata.uid, { all: true });
  for (const file of readdirSync(node.path('/run/cdi'))) node.erase(`/run/cdi/${file}`);
  for (let turn = 0; turn < 5 && (await stage.binding(groups.gpu, 'n2')).group === before; turn++)
    await stage.simulate('reboot', { renumber: true }, 'n2');
  const today = (await stage.binding(groups.gpu, 'n2')).group;
  assert.notEqual(today, before);
  assert.equal((await stage.binding(groups.gpu, 'n2')).driver, 'nvidia');
  node.start('kubelet');
  const again = await stage.untilPod(
    'rebooted',
    'has been judged anew',
    ({ status }) =>
      status.phase === 'Failed' || (status.containerStatuses?.[0]?.restartCount ?? 0) > 0,
    60_000,
  );
  if (again.status.phase === 'Failed') {
    // The kubelet admits its pods anew before plugins have registered (kubernetes#125579).
    assert.equal(again.status.reason, 'UnexpectedAdmissionError');
    await stage.untilGroupPhase(groups.gpu, 'WithHost', { node: 'n2' });
  } else {
    await stage.untilPhase('rebooted', 'Running');
    const lines = await stage.shown('rebooted');
    assert(lines.includes(`READ /dev/vfio/${today}`), lines.join('\n'));
  }
  console.log(`after the reboot the pod is ${again.status.phase} ${again.status.reason ?? ''}`);
  await stage.removePod('rebooted');
});

test('a node that is taken away leaves no objects behind', async () => {
  const node = stage.cluster.node('n2');
  await node.stop('kubelet');
  await stage.remove('/api/v1/nodes/n2');
  const names = async (): Promise<string> => await stage.kubectl('get', 'ig,ptn', '-o', 'name');
  await until(
    'the objects of n2 are gone',
    async () => ((await names()).includes('/n2') ? null : true),
    { limitMs: 60_000 },
  );
  assert.match(await names(), /\/n1/);
  await stays('those of n1 stay', 1000, async () => (await names()).includes('/n1'));
});
