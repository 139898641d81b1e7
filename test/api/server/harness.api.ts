// The API server of the tests itself: what other suites build on.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { send } from '../support/api-call.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { writesOf } from '../support/audit.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer();
});
after(async () => {
  const { folder, pids } = server;
  await server[Symbol.asyncDispose]();
  assert(!existsSync(folder), 'its folder is removed');
  for (const pid of Object.values(pids)) assert(!existsSync(`/proc/${pid}`), `${pid} has ended`);
});

test('kubectl of the same version talks to the server', async () => {
  const run = await server.kubectl(['version', '-o', 'json']);
  assert.equal(run.status, 0, run.stderr);
  const { clientVersion, serverVersion } = JSON.parse(run.stdout) as Record<
    string,
    { gitVersion: string }
  >;
  assert.equal(clientVersion?.gitVersion, 'v1.37.2');
  assert.deepEqual(clientVersion?.gitVersion, serverVersion?.gitVersion);
});

test('a token bound to a pod carries the name of its node, and one bound to nothing does not', async () => {
  const claimOf = async (node?: string): Promise<unknown> => {
    const token = await server.tokenFor({ serviceAccount: 'someone', ...(node && { node }) });
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const answer = await server.call({ method: 'POST', path, token, body });
    const { status } = answer.body as { status: { userInfo: { extra: Record<string, unknown> } } };
    return status.userInfo.extra['authentication.kubernetes.io/node-name'];
  };
  assert.deepEqual(await claimOf('worker-1'), ['worker-1']);
  assert.deepEqual(await claimOf('worker-2'), ['worker-2']);
  assert.equal(await claimOf(), undefined);
});

test('a server that was killed comes back on its port with its data', async () => {
  const token = server.tokens.admin;
  const path = '/api/v1/namespaces/default/configmaps';
  await server.call({ method: 'POST', path, token, body: { metadata: { name: 'kept' } } });
  await server.kill();
  await assert.rejects(server.call({ method: 'GET', path, token }), { code: 'ECONNREFUSED' });
  await server.restart();
  assert.equal((await server.call({ method: 'GET', path: `${path}/kept`, token })).status, 200);
});

test('after a compaction a watch from an older revision is answered with 410', async () => {
  const token = server.tokens.admin;
  const path = '/api/v1/namespaces/default/configmaps';
  const first = await server.call({ method: 'GET', path, token });
  const { resourceVersion } = (first.body as { metadata: { resourceVersion: string } }).metadata;
  await server.call({ method: 'POST', path, token, body: { metadata: { name: 'later' } } });
  await server.compact();
  await server.restart();
  const query = `watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`;
  const { body } = await server.call({ method: 'GET', path: `${path}?${query}`, token });
  assert.equal((body as { object: { code: number } }).object.code, 410);
});

test('after a rotation the new authority is trusted, and the one before is not', async () => {
  const get = { method: 'GET', path: '/readyz', token: server.tokens.admin } as const;
  const before = join(server.folder, 'before.crt');
  copyFileSync(server.caFile, before);
  server.rotateAuthority();
  await server.restart();
  await assert.rejects(send(server.url, before, get), /certificate|signature/);
  assert.equal((await server.call(get)).status, 200);
});

test('the audit log tells who wrote what', async () => {
  const token = await server.tokenFor({ serviceAccount: 'writer' });
  const path = '/api/v1/namespaces/default/configmaps';
  await server.call({ method: 'GET', path, token });
  await server.call({ method: 'POST', path, token, body: { metadata: { name: 'mine' } } });
  const writes = writesOf(server.audit(), 'system:serviceaccount:wholegroup-system:writer');
  assert.deepEqual(
    writes.map(({ verb, objectRef, responseStatus }) => [
      verb,
      objectRef?.resource,
      responseStatus?.code,
    ]),
    [['create', 'configmaps', 403]],
  );
});
