// Who may write what, with real tokens: agents of two nodes, the controller, and people. Every write that an admission
// policy refuses is shown to succeed once the policy is gone, so that each of these tests can fail.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assignedGroup } from '../objects/group-objects.ts';
import { minimal } from '../objects/policy-objects.ts';
import type { ApiAnswer } from '../support/api-call.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { until } from '../support/waiting.ts';
import {
  api,
  groupApplied,
  groupOf,
  groupStatusApplied,
  merged,
  nodeApplied,
  nodeLabels,
  nodeStatusApplied,
  policyStatusWritten,
  waiving,
  type Write,
} from './writes.ts';

interface Identities {
  readonly agent: string;
  readonly otherAgent: string;
  readonly agentWithoutNode: string;
  readonly controller: string;
  readonly admin: string;
}

let server: ApiServer;
let tokens: Identities;

async function as(who: keyof Identities, write: Write): Promise<ApiAnswer> {
  return await server.call({ ...write, token: tokens[who] });
}

before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac', 'deploy/admission'])
    await server.apply(path);
  const agent = async (node?: string): Promise<string> =>
    await server.tokenFor({ serviceAccount: 'wholegroup-agent', ...(node && { node }) });
  tokens = {
    agent: await agent('worker'),
    otherAgent: await agent('worker-1'),
    agentWithoutNode: await agent(),
    controller: await server.tokenFor({ serviceAccount: 'wholegroup-controller' }),
    admin: server.tokens.admin,
  };
  const made = await as('admin', {
    method: 'POST',
    path: `${api}/passthroughpolicies`,
    body: minimal(),
  });
  assert.equal(made.status, 201);
  await until('the policies are in force', async () => {
    const denied = await as('agentWithoutNode', nodeApplied('nobody'));
    const warned = await as('admin', waiving('?dryRun=All'));
    const status = await as('admin', policyStatusWritten);
    return denied.status === 422 && warned.warnings.length > 0 && status.status === 403;
  });
});
after(async () => await server[Symbol.asyncDispose]());

/** What is allowed; in this order, because each builds on those before. */
const allowed: Record<string, readonly [keyof Identities, Write]> = {
  'an agent makes the object of a group of its node': ['agent', groupApplied('worker')],
  'an agent writes the status of its group': ['agent', groupStatusApplied('worker')],
  'an agent makes the object of its node': ['agent', nodeApplied('worker')],
  'an agent writes the status of its node': ['agent', nodeStatusApplied('worker')],
  'another agent makes the object of its own group': ['otherAgent', groupApplied('worker-1')],
  'another agent makes the object of its own node': ['otherAgent', nodeApplied('worker-1')],
  'the controller writes the status of a policy': ['controller', policyStatusWritten],
  'an administrator cordons a group': [
    'admin',
    merged(groupOf('worker'), { spec: { cordoned: true, cordonReason: 'fan' } }),
  ],
  'an agent applies the object of a cordoned group again': ['agent', groupApplied('worker')],
  'an agent writes the status of a cordoned group': ['agent', groupStatusApplied('worker')],
};

for (const [sentence, [who, write]] of Object.entries(allowed)) {
  test(`allowed: ${sentence}`, async () => {
    const answer = await as(who, write);
    assert([200, 201].includes(answer.status), JSON.stringify(answer.body));
  });
}

test('an agent that applies its object again leaves the cordon as it is', async () => {
  const { body } = await as('admin', { method: 'GET', path: groupOf('worker') });
  const { spec } = body as { spec: object };
  assert.deepEqual(spec, { cordoned: true, cordonReason: 'fan' });
});

/** What an admission policy refuses: who, what, and the words. */
const refused: Record<string, readonly [keyof Identities, Write, RegExp]> = {
  'an agent makes a group of another node': [
    'agent',
    groupApplied('worker-2'),
    /the agent of node worker may not write worker-2-0000-65-00-0/,
  ],
  'an agent writes the status of a group of a node whose name begins with its own': [
    'agent',
    groupStatusApplied('worker-1'),
    /the agent of node worker may not write worker-1-0000-65-00-0/,
  ],
  'an agent writes the status of another node': [
    'agent',
    nodeStatusApplied('worker-1'),
    /the agent of node worker may not write worker-1/,
  ],
  'an agent makes the object of another node': [
    'agent',
    nodeApplied('worker-3'),
    /the agent of node worker may not write worker-3/,
  ],
  'an agent whose token names no node writes': [
    'agentWithoutNode',
    groupApplied('worker'),
    /the token of this agent names no node/,
  ],
  'an agent uncordons its group': [
    'agent',
    merged(groupOf('worker'), { spec: { cordoned: false } }),
    /an agent may not change the spec of an object; it is the administrator's/,
  ],
  'an agent changes the reason of a cordon': [
    'agent',
    groupApplied('worker', { spec: { cordonReason: 'mine' } }),
    /an agent may not change the spec/,
  ],
  'an agent makes a group that is cordoned': [
    'agent',
    {
      ...{ method: 'POST', path: `${api}/iommugroups` },
      body: {
        ...{ apiVersion: assignedGroup.apiVersion, kind: 'IOMMUGroup', spec: { cordoned: true } },
        metadata: { name: 'worker-0000-66-00-0', labels: nodeLabels('worker') },
      },
    },
    /an agent may not create an object that is cordoned/,
  ],
  'an agent labels its group as that of another node': [
    'agent',
    merged(groupOf('worker'), { metadata: { labels: nodeLabels('worker-1') } }),
    /the label wholegroup\.dev\/node must be worker/,
  ],
  'an agent removes a group of another node': [
    'agent',
    { method: 'DELETE', path: groupOf('worker-1') },
    /the agent of node worker may not write worker-1-0000-65-00-0/,
  ],
  'an administrator writes the status of a group': [
    'admin',
    merged(`${groupOf('worker')}/status`, { status: { phase: 'WithHost' } }),
    /the status of iommugroups is written by wholegroup-agent alone; write the spec/,
  ],
  'an administrator writes the status of a policy': [
    'admin',
    policyStatusWritten,
    /the status of passthroughpolicies is written by wholegroup-controller alone/,
  ],
};

for (const [sentence, [who, write, words]] of Object.entries(refused)) {
  test(`refused by an admission policy: ${sentence}`, async () => {
    const { status, body } = await as(who, write);
    assert([403, 422].includes(status), JSON.stringify(body));
    const { message } = body as { message: string };
    assert.match(message, /ValidatingAdmissionPolicy 'wholegroup-/);
    assert.match(message, words);
  });
}

test('a policy that waives a blocker is taken with a warning that names what is waived', async () => {
  const answer = await as('admin', waiving());
  assert.equal(answer.status, 201);
  assert.match(
    answer.warnings.join('\n'),
    /policy waiver waives SwapActive, SoundInUse: groups are taken from the host although it uses them so/,
  );
});

test('a waiver that was there already is not warned of again, and a new one is', async () => {
  const path = `${api}/passthroughpolicies/waiver`;
  const same = await as('admin', merged(path, { spec: { priority: 1 } }));
  assert.deepEqual([same.status, same.warnings], [200, []]);
  const waive = ['SwapActive', 'SoundInUse', 'LoopBacking'];
  const more = await as('admin', merged(path, { spec: { waive } }));
  assert.match(more.warnings.join('\n'), /policy waiver waives LoopBacking:/);
});

test('a policy that waives nothing is taken without a warning', async () => {
  const body = { ...minimal(), metadata: { name: 'plain' } };
  const answer = await as('admin', { method: 'POST', path: `${api}/passthroughpolicies`, body });
  assert.deepEqual([answer.status, answer.warnings], [201, []]);
});

/** What the roles do not give: refused before any admission policy. */
const notGiven: Record<string, readonly [keyof Identities, Write]> = {
  'an agent changes a policy': [
    'agent',
    merged(`${api}/passthroughpolicies/a40`, { spec: { waive: ['SwapActive'] } }),
  ],
  'an agent writes the status of a policy': ['agent', policyStatusWritten],
  'an agent labels its Node': [
    'agent',
    merged('/api/v1/nodes/worker', { metadata: { labels: { a: 'b' } } }),
  ],
  'an agent reads secrets': ['agent', { method: 'GET', path: '/api/v1/secrets' }],
  'an agent removes a pod': [
    'agent',
    { method: 'DELETE', path: '/api/v1/namespaces/wholegroup-system/pods/wholegroup-agent-worker' },
  ],
  'the controller writes the status of a group': ['controller', groupStatusApplied('worker')],
  'the controller cordons a group': [
    'controller',
    merged(groupOf('worker'), { spec: { cordoned: true } }),
  ],
  'the controller takes a Lease of somebody else': [
    'controller',
    { method: 'GET', path: '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases' },
  ],
};

for (const [sentence, [who, write]] of Object.entries(notGiven)) {
  test(`refused by its role: ${sentence}`, async () => {
    const { status, body } = await as(who, write);
    assert.equal(status, 403, JSON.stringify(body));
    assert.match((body as { message: string }).message, /cannot \w+ resource/);
  });
}

test('without the admission policies, every write that they refused succeeds', async () => {
  const run = await server.kubectl(['delete', '-f', 'deploy/admission', '--wait=false']);
  assert.equal(run.status, 0, run.stderr);
  await until('the policies are out of force', async () => {
    const status = await as('admin', policyStatusWritten);
    const denied = await as('agentWithoutNode', nodeApplied('nobody'));
    return status.status === 200 && denied.status < 300;
  });
  for (const [sentence, [who, write]] of Object.entries(refused)) {
    const { status, body } = await as(who, write);
    assert([200, 201].includes(status), `${sentence}: ${JSON.stringify(body)}`);
  }
});
