// The agent with a real API server: what a person sees of a node with kubectl, and what happens while the server is
// away. One node, told as one story: each test goes on where the one before it ended.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GroupObject } from '../../../src/api/iommu-group.ts';
import type { NodeObject } from '../../../src/api/passthrough-node.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { AgentNode, answer } from './agent-node.ts';

const api = '/apis/wholegroup.dev/v1alpha1';
const node = 'worker-1';
const groupName = 'worker-1-0000-00-05-0';
const resource = 'example.com/nic';

let server: ApiServer;
let worker: AgentNode;

before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac', 'deploy/admission'])
    await server.apply(path);
  worker = await AgentNode.open(server, node, 'transcripts');
  await worker.startAgent();
});
after(async () => {
  await worker?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

async function call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) {
  const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
  const request = {
    method,
    path,
    token: server.tokens.admin,
    ...(body && { body }),
    ...contentType,
  };
  return server.call(request);
}

async function group(): Promise<GroupObject | null> {
  const { status, body } = await call('GET', `${api}/iommugroups/${groupName}`);
  return status === 200 ? (body as GroupObject) : null;
}

/** Waits until the group's object is as `holds` wants it. */
async function groupThat(
  what: string,
  holds: (object: GroupObject) => boolean,
): Promise<GroupObject> {
  try {
    return await answer(what, async () => {
      const found = await group();
      return found !== null && holds(found) ? found : null;
    });
  } catch (thrown) {
    throw new Error(`${what}: ${JSON.stringify((await group())?.status)}\n${worker.log}`, {
      cause: thrown,
    });
  }
}

const condition = (object: GroupObject, type: string): string | undefined =>
  object.status?.conditions.find((each) => each.type === type)?.status;

const policy = {
  apiVersion: 'wholegroup.dev/v1alpha1',
  kind: 'PassthroughPolicy',
  metadata: { name: 'nic' },
  spec: { resourceName: resource, devices: [{ address: '0000:00:05.0' }] },
};

test('a node without policies says what it is', async () => {
  const object = await answer('the PassthroughNode', async () => {
    const { status, body } = await call('GET', `${api}/passthroughnodes/${node}`);
    return status === 200 && (body as NodeObject).status ? (body as NodeObject) : null;
  });
  assert.equal(object.status?.iommu, 'Yes');
  assert.equal(object.status?.groups.total, 0);
  const { stdout } = await server.kubectl(['get', 'ptn']);
  assert.match(stdout, /worker-1 +Yes/);
});

test('a policy shows its group, and that it is offered', async () => {
  assert.equal((await call('POST', `${api}/passthroughpolicies`, policy)).status, 201);
  const object = await groupThat(
    'an offered group',
    (each) => condition(each, 'Offered') === 'True',
  );
  assert.equal(object.status?.members.length, 2);
  const { stdout } = await server.kubectl(['get', 'ig']);
  assert.match(stdout, /worker-1-0000-00-05-0 +worker-1 +1 +0000:00:05.0 \+1 +Kernel +WithHost/);
});

test('what the host does with a member withdraws the group within a moment, and says why', async () => {
  const startedMs = performance.now();
  await worker.control.perform('changeLink', {
    ...{ name: 'eth1', up: true },
    addresses: ['192.0.2.9/24'],
  });
  const object = await groupThat(
    'a blocked group',
    (each) => condition(each, 'Offered') === 'False',
  );
  const tookMs = performance.now() - startedMs;
  const blocker = object.status?.blockers[0];
  assert.deepEqual([blocker?.kind, blocker?.address], ['NetworkInterfaceUp', '0000:00:05.1']);
  assert.ok(tookMs < 3000, `${tookMs} ms`);
  assert.match((await server.kubectl(['get', 'ig'])).stdout, /NetworkInterfaceUp/);
  await worker.control.perform('changeLink', { name: 'eth1', up: false, addresses: [] });
  await groupThat('an offered group', (each) => condition(each, 'Offered') === 'True');
});

test('a pod shows in its group by name and uid, and its end gives the group back', async () => {
  const namespace = 'wholegroup-system';
  const own = { nodeName: node, serviceAccountName: 'wholegroup-agent' };
  const spec = { ...own, containers: [{ name: 'main', image: 'none' }] };
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const pod = await call('POST', path, { metadata: { name: 'a' }, spec });
  assert.equal(pod.status, 201, JSON.stringify(pod.body));
  const { uid } = (pod.body as { metadata: { uid: string } }).metadata;
  const containers = [{ name: 'main', devices: { [resource]: 1 } }];
  const run = worker.kubelet.createPod({ namespace, name: 'a', containers });
  const object = await groupThat(
    'an assigned group',
    ({ status }) => status?.phase === 'Assigned' && status.lease?.pod?.uid !== undefined,
  );
  assert.deepEqual(object.status?.lease?.pod, {
    namespace,
    name: 'a',
    uid,
    container: 'main',
  });
  assert.equal(object.status?.summary.pod, 'wholegroup-system/a');
  worker.kubelet.deletePod(run, { graceMs: 0 });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.equal((await group())?.status?.phase, 'Assigned', 'the pod object is still there');
  await call('DELETE', `${path}/a?gracePeriodSeconds=0`);
  await groupThat('a returned group', ({ status }) => status?.phase === 'WithHost');
});

test('transitions are told as Events', async () => {
  const reasons = await answer('the Events', async () => {
    const { body } = await call('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    const { items } = body as { items: { reason: string; regarding: { name: string } }[] };
    const own = items.filter(({ regarding }) => regarding.name === groupName);
    const found = new Set(own.map(({ reason }) => reason));
    return found.has('GroupReturned') ? found : null;
  });
  for (const reason of ['GroupBlocked', 'GroupReleasable', 'GroupAssigned', 'GroupReturned'])
    assert.ok(reasons.has(reason), `${reason} is among ${[...reasons].join(', ')}`);
});

test('a cordon takes the group out of service with its reason', async () => {
  const cordon = { spec: { cordoned: true, cordonReason: 'RMA 4711' } };
  assert.equal((await call('PATCH', `${api}/iommugroups/${groupName}`, cordon)).status, 200);
  const object = await groupThat(
    'a cordoned group',
    (each) => condition(each, 'Offered') === 'False',
  );
  assert.equal(object.status?.blockers[0]?.kind, 'Cordoned');
  assert.match(object.status?.blockers[0]?.message ?? '', /RMA 4711/);
});

test('an agent that starts while the server is away goes by what it knew last, the cordon too', async () => {
  await worker.endAgent('SIGKILL');
  await server.kill();
  await worker.startAgent();
  assert.match(worker.log, /last known state in force/);
  assert.match(await worker.metrics(), /wholegroup_groups_blocked\{kind="Cordoned"\} 1/);
  await server.restart();
  assert.equal(
    (await call('PATCH', `${api}/iommugroups/${groupName}`, { spec: { cordoned: false } })).status,
    200,
  );
  await groupThat('a group in service', (object) => condition(object, 'Offered') === 'True');
});

test('a steady state writes nothing', async () => {
  const writes = () =>
    server
      .audit()
      .filter(
        ({ user, verb }) =>
          user.username.endsWith(':wholegroup-agent') && !['list', 'watch', 'get'].includes(verb),
      );
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = writes().length;
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  assert.deepEqual(writes().slice(before), []);
});

test('a policy that goes takes the object of its group along', async () => {
  await call('DELETE', `${api}/passthroughpolicies/nic`);
  await answer('the object is gone', async () => ((await group()) === null ? true : null));
});

test('a Node that goes is not followed by objects that belong to nobody', async () => {
  await call('POST', `${api}/passthroughpolicies`, policy);
  await groupThat('the group again', ({ status }) => status !== undefined);
  await call('DELETE', `/api/v1/nodes/${node}`);
  await call('DELETE', `${api}/iommugroups/${groupName}`);
  await new Promise((resolve) => setTimeout(resolve, 6000));
  assert.equal(await group(), null);
});
