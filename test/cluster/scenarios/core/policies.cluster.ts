// Policies that come, change, conflict and go while pods have the groups that they offer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../../stage/install.ts';
import { groups, policiesPath, policy, resources } from '../../stage/machine.ts';
import type { Condition } from '../../stage/objects.ts';
import type { Stage } from '../../stage/stage.ts';
import { stays, until } from '../../stage/wait.ts';

let stage: Stage;
before(async () => {
  stage = await openStage();
  await stage.untilAllocatable(resources.gpu, 1);
});
after(async () => await stage?.[Symbol.asyncDispose]());

interface PolicyObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

const devices = [{ vendor: '10de', device: '2684' }];
const card = 'example.com/card';

async function conflicts(name: string): Promise<string | undefined> {
  const object = await stage.get<PolicyObject>(`${policiesPath}/${name}`);
  return object?.status?.conditions?.find(({ type }) => type === 'Conflicting')?.status;
}

test('of two policies for one group the higher one offers it, and both say so', async () => {
  await stage.create(policiesPath, policy('card', { resourceName: card, devices, priority: -1 }));
  await until('both policies know', async () =>
    (await conflicts('card')) === 'True' && (await conflicts('gpu')) === 'True' ? true : null,
  );
  assert.equal(await stage.allocatable(card), 0);
  assert.equal(await stage.allocatable(resources.gpu), 1);
});

test('a pod that asks through the name that lost waits, also while the group is out', async () => {
  await stage.runPod({ podName: 'winner', limits: { [resources.gpu]: 1 } });
  await stage.createPod({ podName: 'loser', limits: { [card]: 1 } });
  await stays(
    'the pod waits',
    3000,
    async () => (await stage.pod('loser'))?.status.phase === 'Pending',
  );
  const holders = (await stage.holders()).filter(({ deviceIds }) => deviceIds.includes(groups.gpu));
  assert.equal(holders.length, 1);
});

test('a policy that is deleted takes nothing from a pod; afterwards the next policy has the group', async () => {
  await stage.remove(`${policiesPath}/gpu`);
  await stays(
    'the pod runs',
    2000,
    async () =>
      (await stage.pod('winner'))?.status.phase === 'Running' &&
      (await stage.binding(groups.gpu)).driver === 'vfio-pci',
  );
  assert.equal((await stage.pod('loser'))?.status.phase, 'Pending');
  await stage.removePod('winner');
  await stage.untilPhase('loser', 'Running', 60_000);
  await stage.untilGroup(
    groups.gpu,
    'is assigned to the other',
    ({ lease }) => lease?.pod?.name === 'loser',
  );
  await stage.removePod('loser');
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
});

test('a policy that changes its resource name moves the group to the new name', async () => {
  await stage.untilAllocatable(card, 1);
  await stage.patch(`${policiesPath}/card`, { spec: { resourceName: 'example.com/adapter' } });
  await stage.untilAllocatable('example.com/adapter', 1);
  await stage.untilAllocatable(card, 0);
});

test('a policy that nobody could mean is refused with the reason', async () => {
  const { status, body } = await stage.ask({
    method: 'POST',
    path: policiesPath,
    body: policy('wrong', { resourceName: 'kubernetes.io/gpu', devices }),
  });
  assert.equal(status, 422);
  assert.match(JSON.stringify(body), /kubernetes\.io/);
});

test('without any policy nothing is offered, and no group has an object', async () => {
  await stage.remove(policiesPath);
  for (const resource of ['example.com/adapter', resources.nic, resources.accelerator])
    await stage.untilAllocatable(resource, 0);
  await until('the objects are gone', async () =>
    (await stage.group(groups.gpu)) === null ? true : null,
  );
});
