// The controller as processes against a real API server: what becomes of policies, objects of nodes that are gone, and
// two candidates for one Lease.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PolicyObject, PolicyStatus } from '../../../src/api/passthrough-policy.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { rightsIn, roleUse } from '../support/role-use.ts';
import { answer, until } from '../support/waiting.ts';
import { type RunningController, startController } from './start-controller.ts';
import { assignedGroup, blockedGroup, nodeObject } from '../objects/group-objects.ts';

const api = '/apis/wholegroup.dev/v1alpha1';

let server: ApiServer;
const controllers: RunningController[] = [];

async function call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) {
  const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
  const request = { method, path, token: server.tokens.admin, ...(body && { body }) };
  return server.call({ ...request, ...contentType });
}

const policy = (name: string, more: object = {}): object => ({
  ...{ apiVersion: 'wholegroup.dev/v1alpha1', kind: 'PassthroughPolicy', metadata: { name } },
  spec: { resourceName: `example.com/${name}`, devices: [{ class: '02' }], ...more },
});

/** Makes an object with its status, as an agent would. */
async function group(object: { readonly metadata: { readonly name: string } }, more: object = {}) {
  const whole = { ...object, ...more };
  assert.equal((await call('POST', `${api}/iommugroups`, whole)).status, 201);
  const path = `${api}/iommugroups/${object.metadata.name}/status`;
  const { status } = whole as { status?: object };
  assert.equal((await call('PATCH', path, { status })).status, 200);
}

async function statusThat(
  name: string,
  holds: (status: PolicyStatus) => boolean,
): Promise<PolicyStatus> {
  return answer(`the status of ${name}`, async () => {
    const { body } = await call('GET', `${api}/passthroughpolicies/${name}`);
    const status = (body as PolicyObject).status as PolicyStatus | undefined;
    return status !== undefined && holds(status) ? status : null;
  });
}

before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac']) await server.apply(path);
  await call('POST', '/api/v1/nodes', { metadata: { name: 'worker-2', labels: { gpu: 'a40' } } });
  controllers.push(await startController(server, 'first'));
});
after(async () => {
  for (const controller of controllers) await controller[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test('a policy that finds nothing says so', async () => {
  await call(
    'POST',
    `${api}/passthroughpolicies`,
    policy('nics', { nodeSelector: { matchLabels: { gpu: 'a40' } } }),
  );
  const status = await statusThat('nics', ({ conditions }) => conditions.length === 2);
  assert.equal(status.conditions.find(({ type }) => type === 'Ready')?.reason, 'NoMatch');
  assert.equal(status.nodes?.selected, 1);
});

test('groups are counted as they come, change and go', async () => {
  await group(blockedGroup);
  await group(assignedGroup, { status: { ...assignedGroup.status, policy: 'nics' } });
  const status = await statusThat('nics', ({ groups }) => groups.matched === 2);
  assert.deepEqual([status.groups.assigned, status.nodes?.names], [1, ['worker-1']]);
  const { stdout } = await server.kubectl(['get', 'ptp', 'nics']);
  assert.match(stdout, /nics +example.com\/nics +2/);
  await call('DELETE', `${api}/iommugroups/${blockedGroup.metadata.name}`);
  await statusThat('nics', ({ groups }) => groups.matched === 1);
});

test('a policy that goes behind another is told of it, and the other too', async () => {
  await call('POST', `${api}/passthroughpolicies`, policy('more'));
  const passed = [{ policy: 'more', reason: 'Outranked', message: 'group goes to policy nics' }];
  const path = `${api}/iommugroups/${assignedGroup.metadata.name}/status`;
  await call('PATCH', path, { status: { passed } });
  const behind = await statusThat('more', ({ conflicts }) => (conflicts?.length ?? 0) > 0);
  assert.deepEqual(behind.conflicts, [{ policy: 'nics', groups: 1, winner: 'nics' }]);
  assert.equal(behind.conditions.find(({ type }) => type === 'Conflicting')?.status, 'True');
  const before = await statusThat('nics', ({ conflicts }) => (conflicts?.length ?? 0) > 0);
  assert.deepEqual(before.conflicts, [{ policy: 'more', groups: 1, winner: 'nics' }]);
});

test('objects of a node that is gone go too', async () => {
  const own = [
    `${api}/iommugroups/${assignedGroup.metadata.name}`,
    `${api}/passthroughnodes/${nodeObject.metadata.name}`,
  ];
  assert.equal((await call('POST', `${api}/passthroughnodes`, nodeObject)).status, 201);
  await call('DELETE', '/api/v1/nodes/worker-1');
  await until('both are gone', async () => {
    const found = await Promise.all(own.map(async (path) => (await call('GET', path)).status));
    return found.every((status) => status === 404);
  });
  await statusThat('nics', ({ groups }) => groups.matched === 0);
});

test('another candidate goes on when the leader ends', async () => {
  controllers.push(await startController(server, 'second'));
  await controllers[0]?.process.stop();
  await call('POST', `${api}/passthroughpolicies`, policy('later'));
  await statusThat('later', ({ conditions }) => conditions.length === 2);
});

test('the role of the controller has every right that was used in all of this, and no other', () => {
  const user = 'system:serviceaccount:wholegroup-system:wholegroup-controller';
  const use = roleUse(rightsIn('deploy/rbac/controller.yaml'), server.audit(), user);
  assert.deepEqual(use, { missing: [], unused: [] });
});
