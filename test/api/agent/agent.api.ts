// The agent with a real API server: what a person sees of a node with kubectl, and what happens while the server is
// away. One node, told as one story: each test goes on where the one before it ended.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GroupObject } from '../../../src/api/iommu-group.ts';
import type { NodeObject } from '../../../src/api/passthrough-node.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { rightsIn, roleUse } from '../support/role-use.ts';
import { answer, until } from '../support/waiting.ts';
import { AgentNode } from './agent-node.ts';

const api = '/apis/wholegroup.dev/v1alpha1';
const node = 'worker-1';
const groupName = 'worker-1-0000-00-05-0';
const resource = 'example.com/nic';

const agentUser = 'system:serviceaccount:wholegroup-system:wholegroup-agent';

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

async function linkDown(): Promise<void> {
  await worker.control.perform('changeLink', { name: 'eth1', up: false, addresses: [] });
  await groupThat('an offered group', (each) => condition(each, 'Offered') === 'True');
}

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
  await linkDown();
  // Once more: the same Event again.
  await worker.control.perform('changeLink', {
    ...{ name: 'eth1', up: true },
    addresses: ['192.0.2.9/24'],
  });
  await groupThat('a blocked group', (each) => condition(each, 'Offered') === 'False');
  await linkDown();
});

const pods = '/api/v1/namespaces/wholegroup-system/pods';

/** Makes a pod in the API server and in the kubelet; resolves when the group is its own. */
async function startPod(name: string) {
  const own = { nodeName: node, serviceAccountName: 'wholegroup-agent' };
  const spec = { ...own, containers: [{ name: 'main', image: 'none' }] };
  const pod = await call('POST', pods, { metadata: { name }, spec });
  assert.equal(pod.status, 201, JSON.stringify(pod.body));
  const { uid } = (pod.body as { metadata: { uid: string } }).metadata;
  const containers = [{ name: 'main', devices: { [resource]: 1 } }];
  const run = worker.kubelet.createPod({ namespace: 'wholegroup-system', name, containers });
  const object = await groupThat(
    'an assigned group',
    ({ status }) => status?.phase === 'Assigned' && status.lease?.pod?.uid === uid,
  );
  return { run, uid, object };
}

async function endPod({ run }: Awaited<ReturnType<typeof startPod>>, name: string): Promise<void> {
  worker.kubelet.deletePod(run, { graceMs: 0 });
  await call('DELETE', `${pods}/${name}?gracePeriodSeconds=0`);
  await groupThat('a returned group', ({ status }) => status?.phase === 'WithHost');
}

test('a pod shows in its group by name and uid, and its end gives the group back', async () => {
  const started = await startPod('a');
  const { uid, object } = started;
  const namespace = 'wholegroup-system';
  assert.deepEqual(object.status?.lease?.pod, { namespace, name: 'a', uid, container: 'main' });
  assert.equal(object.status?.summary.pod, 'wholegroup-system/a');
  worker.kubelet.deletePod(started.run, { graceMs: 0 });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.equal((await group())?.status?.phase, 'Assigned', 'the pod object is still there');
  await endPod(started, 'a');
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

/** Lists that the agent has asked for since so many audited requests, by resource. */
function listsSince(entries: number): ReadonlyMap<string, number> {
  const lists = server
    .audit()
    .slice(entries)
    .filter(
      ({ verb, stage, user }) =>
        verb === 'list' && stage === 'ResponseComplete' && user.username === agentUser,
    )
    .map(({ objectRef }) => objectRef?.resource ?? '');
  return new Map([...Map.groupBy(lists, String)].map(([name, each]) => [name, each.length]));
}

test('a server that was away for 30 s is followed again within 5 s; no lease is lost, nothing is listed twice', async () => {
  const other = { ...policy, metadata: { name: 'other' } };
  const spec = { resourceName: 'example.com/other', devices: [{ address: '0000:01:00.0' }] };
  await call('POST', `${api}/passthroughpolicies`, { ...other, spec });
  const second = `${api}/iommugroups/worker-1-0000-01-00-0`;
  const whyOfSecond = async () => ((await call('GET', second)).body as GroupObject).status?.summary;
  await until('a second group', async () => (await whyOfSecond())?.why === '');
  const started = await startPod('b');
  const entries = server.audit().length;
  await server.kill();
  // What happens on the host meanwhile is to be told afterwards.
  await worker.control.perform('changeLink', {
    name: 'eth3',
    up: true,
    addresses: ['192.0.2.10/24'],
  });
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  await server.restart();
  const returnedMs = performance.now();
  const cordon = { spec: { cordoned: true } };
  const patched = await call('PATCH', `${api}/iommugroups/${groupName}`, cordon);
  const { generation } = (patched.body as GroupObject).metadata;
  const object = await groupThat(
    'a status of what was changed after the outage',
    ({ status }) => status?.observedGeneration === generation,
  );
  await until('what was changed in the outage', async () => (await whyOfSecond())?.why !== '');
  const tookMs = performance.now() - returnedMs;
  assert.ok(tookMs <= 5000, `${tookMs} ms`);
  const { phase, lease } = object.status ?? {};
  assert.deepEqual([phase, lease?.pod?.uid], ['Assigned', started.uid]);
  for (const [name, count] of listsSince(entries)) assert.ok(count <= 1, `${name}: ${count} lists`);
  await call('PATCH', `${api}/iommugroups/${groupName}`, { spec: { cordoned: false } });
  await endPod(started, 'b');
  await call('DELETE', `${api}/passthroughpolicies/other`);
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

test('what happens again within minutes is one Event with a count', async () => {
  const path = '/apis/events.k8s.io/v1/namespaces/default/events';
  const query = `?fieldSelector=regarding.name=${groupName},reason=GroupBlocked`;
  const counted = async (): Promise<boolean> => {
    const { items } = (await call('GET', path + query)).body as {
      items: readonly { readonly series?: { readonly count: number } }[];
    };
    return items.some(({ series }) => series?.count === 2);
  };
  // A running series is written once a minute.
  await until('an Event with a count', counted, { limitMs: 90_000 });
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

test('a cordon outlives the policy of its group, and is there when a policy comes again', async () => {
  const path = `${api}/iommugroups/${groupName}`;
  await call('PATCH', path, { spec: { cordoned: true, cordonReason: 'RMA 4712' } });
  await groupThat('a cordoned group', (each) => each.status?.blockers[0]?.kind === 'Cordoned');
  await call('DELETE', `${api}/passthroughpolicies/nic`);
  const absent = await groupThat(
    'an object without its group',
    ({ status }) => status?.conditions.find(({ type }) => type === 'Offered')?.reason === 'Absent',
  );
  assert.equal(absent.spec.cordonReason, 'RMA 4712');
  await call('POST', `${api}/passthroughpolicies`, policy);
  await groupThat('a cordoned group', (each) => each.status?.blockers[0]?.kind === 'Cordoned');
  await call('PATCH', path, { spec: { cordoned: false, cordonReason: '' } });
  await groupThat('a group in service', (object) => condition(object, 'Offered') === 'True');
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

test('the role of the agent has every right that was used in all of this, and no other', async () => {
  const use = roleUse(rightsIn('deploy/rbac/agent.yaml'), server.audit(), agentUser);
  assert.deepEqual(use, { missing: [], unused: [] });
});
