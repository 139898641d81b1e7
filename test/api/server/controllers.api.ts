// What the controllers of Kubernetes make of our objects, roles and admission policies.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assignedGroup, nodeObject } from '../objects/group-objects.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { startControllers } from '../support/controllers.ts';
import { until } from '../support/waiting.ts';

const api = '/apis/wholegroup.dev/v1alpha1';

let server: ApiServer;
let controllers: AsyncDisposable;

before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac', 'deploy/admission'])
    await server.apply(path);
  controllers = startControllers(server, [
    'garbage-collector-controller',
    'clusterrole-aggregation-controller',
    'validatingadmissionpolicy-status-controller',
  ]);
});
after(async () => {
  await controllers[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function get(
  path: string,
  token: string = server.tokens.admin,
): Promise<{ status: number; body: never }> {
  const { status, body } = await server.call({ method: 'GET', path, token });
  return { status, body: body as never };
}

interface Policy {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly typeChecking?: { readonly expressionWarnings?: readonly object[] } };
}

test('every expression of the admission policies fits the types of the custom resources', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  const policies = async (): Promise<readonly Policy[]> =>
    ((await get(path)).body as { items: readonly Policy[] }).items;
  await until('the types are checked', async () =>
    (await policies()).every((each) => each.status?.typeChecking !== undefined),
  );
  const warnings = (await policies()).map(({ metadata, status }) => [
    metadata.name,
    status?.typeChecking?.expressionWarnings ?? [],
  ]);
  assert.deepEqual(warnings, [
    ['wholegroup-agent-own-node', []],
    ['wholegroup-status-by-components', []],
    ['wholegroup-waiver-warning', []],
  ]);
});

test('the objects of a node go with their Node', async () => {
  const token = await server.tokenFor({ serviceAccount: 'wholegroup-agent', node: 'worker-1' });
  const { metadata } = (await get('/api/v1/nodes/worker-1')).body as { metadata: { uid: string } };
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'worker-1', uid: metadata.uid };
  const made = {
    [`${api}/iommugroups/${assignedGroup.metadata.name}`]: assignedGroup,
    [`${api}/passthroughnodes/worker-1`]: nodeObject,
  };
  for (const [path, { apiVersion, kind, metadata: own }] of Object.entries(made)) {
    const labels = { 'wholegroup.dev/node': 'worker-1' };
    const body = { apiVersion, kind, metadata: { ...own, labels, ownerReferences: [owner] } };
    const contentType = 'application/apply-patch+yaml';
    const call = {
      method: 'PATCH',
      path: `${path}?fieldManager=test`,
      token,
      contentType,
    } as const;
    assert.equal((await server.call({ ...call, body })).status, 201);
  }
  await server.call({
    method: 'DELETE',
    path: '/api/v1/nodes/worker-1',
    token: server.tokens.admin,
  });
  await until('both are gone', async () => {
    const found = await Promise.all(
      Object.keys(made).map(async (path) => (await get(path)).status),
    );
    return found.every((status) => status === 404);
  });
});

test('whoever may view may look at everything of wholegroup, and change none of it', async () => {
  const token = await server.tokenFor({ serviceAccount: 'viewer' });
  const bound = await server.kubectl([
    ...['create', 'clusterrolebinding', 'viewer', '--clusterrole=view'],
    '--serviceaccount=wholegroup-system:viewer',
  ]);
  assert.equal(bound.status, 0, bound.stderr);
  await until(
    'the role is aggregated',
    async () => (await get(`${api}/iommugroups`, token)).status === 200,
  );
  assert.equal((await get(`${api}/passthroughpolicies`, token)).status, 200);
  assert.equal((await get(`${api}/passthroughnodes`, token)).status, 200);
  const path = `${api}/passthroughpolicies/none`;
  assert.equal((await server.call({ method: 'DELETE', path, token })).status, 403);
});

test('the definitions are established, structural, and served with every name they ask for', async () => {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const { items } = (await get(path)).body as {
    items: readonly { status: { conditions: readonly { type: string; status: string }[] } }[];
  };
  assert.equal(items.length, 3);
  for (const { status } of items) {
    const told = Object.fromEntries(status.conditions.map((each) => [each.type, each.status]));
    assert.deepEqual(told, { Established: 'True', NamesAccepted: 'True' });
  }
});
