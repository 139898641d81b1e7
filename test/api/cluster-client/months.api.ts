// What happens to a client layer in months, with a real kube-apiserver and nothing in between: authorities and tokens
// that are replaced, a server that is killed, one that hangs, selectors, and a steady state that costs no write.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../../src/base/random.ts';
import type { ClusterAccess } from '../../../src/cluster/access/access.ts';
import { inClusterAccess } from '../../../src/cluster/access/in-cluster.ts';
import { kubeconfigAccess } from '../../../src/cluster/access/kubeconfig.ts';
import { Informer, type InformerOptions } from '../../../src/cluster/informer/informer.ts';
import { noClusterMetrics } from '../../../src/cluster/metrics.ts';
import { type KubeObject, type Resource, resources } from '../../../src/cluster/objects.ts';
import {
  clientFor,
  type ConfigMap,
  configMaps,
  keptLog,
  objectsOf,
  realClock,
} from '../../cluster-client/stage.ts';
import { pause, until } from '../../kubelet/real-time.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { writesOf } from '../support/audit.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer();
});
after(async () => await server[Symbol.asyncDispose]());

const config = (): Promise<ClusterAccess> =>
  kubeconfigAccess({ environment: {}, file: server.kubeconfig, clock: realClock });

/** The mounted folder of a pod's service account, and the access by it. */
async function podAccess(token: string): Promise<{ folder: string; access: ClusterAccess }> {
  const folder = mkdtempSync(join(server.folder, 'pod-'));
  writeFileSync(join(folder, 'token'), token);
  writeFileSync(join(folder, 'namespace'), 'default');
  copyFileSync(server.caFile, join(folder, 'ca.crt'));
  const { hostname, port } = new URL(server.url);
  const options = { host: hostname, port, folder, clock: realClock, log: keptLog() };
  return { folder, access: await inClusterAccess(options) };
}

/** A running informer with the times that are in use, and what it heard. */
function informerOf<T extends KubeObject = KubeObject>(
  access: ClusterAccess,
  resource: Resource,
  options: Partial<InformerOptions<T>> = {},
) {
  const told: string[] = [];
  const client = clientFor(access);
  const log = keptLog();
  const informer = new Informer<T>({
    ...{ client, resource, log, clock: realClock, random: seededRandom(11) },
    metrics: noClusterMetrics,
    ...options,
  });
  informer.onChange({
    added: ({ metadata }) => void told.push(`+${metadata.name}`),
    deleted: ({ metadata }) => void told.push(`-${metadata.name}`),
  });
  const over = new AbortController();
  const running = informer.run(over.signal);
  const stop = async (): Promise<void> => {
    over.abort();
    await running;
    client.close();
  };
  return { informer, told, log, client, [Symbol.asyncDispose]: stop };
}

test('months: a killed server is back in sync within 5 s of its return, with at most one list each', async () => {
  const access = await config();
  await using maps = informerOf<ConfigMap>(access, configMaps, { namespace: 'default' });
  await using nodes = informerOf(access, resources.nodes);
  await Promise.all([maps.informer.synced(), nodes.informer.synced()]);
  await pause(300);
  await server.kill();
  await until('it has noticed', () => !maps.informer.health().current);
  await pause(6000);
  await server.restart();
  const backMs = performance.now();
  const direct = clientFor(access);
  await objectsOf({ direct, label: 'outage' }).create('a');
  await until('it is told', () => maps.told.includes('+outage-a'));
  await until('nodes are watched', () => nodes.informer.health().current);
  const tookMs = performance.now() - backMs;
  console.log(`back in sync ${tookMs.toFixed(0)} ms after the server was ready`);
  assert(tookMs <= 5000);
  assert(maps.informer.health().lists <= 2 && nodes.informer.health().lists <= 2);
  direct.close();
});

test('months: a server that takes connections and never answers costs a deadline, not the informer', async () => {
  const access = await config();
  await using maps = informerOf<ConfigMap>(access, configMaps, {
    ...{ namespace: 'default', timings: { idleMs: 1500 } },
  });
  await maps.informer.synced();
  await until('it watches', () => maps.informer.health().current);
  server.signal('SIGSTOP');
  const call = maps.client.get(resources.nodes, { name: 'x' }, { timeoutMs: 500 });
  assert.equal(
    await call.then((answer) => (answer.ok ? 'ok' : answer.problem.kind)),
    'unavailable',
  );
  await pause(2500);
  server.signal('SIGCONT');
  const direct = clientFor(access);
  await objectsOf({ direct, label: 'hang' }).create('a');
  await until('it is told', () => maps.told.includes('+hang-a'), 15_000);
  assert.equal(maps.informer.health().lists, 1);
  direct.close();
});

test('months: a new authority and a new token are taken up without a restart', {
  timeout: 60_000,
}, async () => {
  const workload = { serviceAccount: 'rotated', node: 'worker-1' };
  const { folder, access } = await podAccess(await server.tokenFor(workload));
  const bound = await server.kubectl([
    ...['create', 'clusterrolebinding', 'rotated', '--clusterrole=cluster-admin'],
    '--serviceaccount=wholegroup-system:rotated',
  ]);
  assert.equal(bound.status, 0, bound.stderr);
  await using maps = informerOf<ConfigMap>(access, configMaps, { namespace: 'default' });
  await maps.informer.synced();
  server.rotateAuthority();
  await server.restart();
  // The mounted file is replaced some time after the server has its new certificate.
  await until('the server is not trusted', () => maps.log.lines.join().includes('certificate'));
  copyFileSync(server.caFile, join(folder, 'ca.crt'));
  const direct = clientFor(await config());
  await objectsOf({ direct, label: 'rotated' }).create('a');
  await until('it is told', () => maps.told.includes('+rotated-a'), 15_000);
  const asked = async (): Promise<string> => {
    const answer = await maps.client.get(resources.nodes, { name: 'none' });
    return answer.ok ? 'ok' : answer.problem.kind;
  };
  writeFileSync(join(folder, 'token'), 'expired');
  access.refused();
  assert.equal(await asked(), 'unauthorized');
  writeFileSync(join(folder, 'token'), await server.tokenFor(workload));
  assert.equal(await asked(), 'notFound');
  direct.close();
});

test('months: only the pods of one node, and one node by its name', async () => {
  const access = await config();
  await server.tokenFor({ serviceAccount: 'selected', node: 'worker-1' });
  await server.tokenFor({ serviceAccount: 'selected', node: 'worker-2' });
  await using pods = informerOf(access, resources.pods, {
    fieldSelector: 'spec.nodeName=worker-2',
  });
  await using node = informerOf(access, resources.nodes, {
    fieldSelector: 'metadata.name=worker-1',
  });
  await Promise.all([pods.informer.synced(), node.informer.synced()]);
  assert.deepEqual(node.told, ['+worker-1']);
  assert(pods.told.length >= 1);
  const all = await node.client.list<KubeObject & { spec: { nodeName?: string } }>(resources.pods);
  assert(all.ok);
  const there = (all.value.items ?? []).filter(({ spec }) => spec.nodeName === 'worker-2');
  assert.equal(pods.informer.size, there.length);
  assert((all.value.items ?? []).length > there.length, 'there are others');
});

test('months: a watch that the server ends in time goes on from a bookmark, without a list', async () => {
  const access = await config();
  await using maps = informerOf<ConfigMap>(access, configMaps, {
    ...{ namespace: 'default', labelSelector: 'case=quiet', timings: { watchSeconds: 3 } },
  });
  await maps.informer.synced();
  const direct = clientFor(access);
  await objectsOf({ direct, label: 'noise' }).bulk(['a', 'b', 'c']);
  const versions = (): number[] =>
    server
      .audit()
      .filter(
        ({ requestURI, stage }) => requestURI.includes('quiet') && stage === 'ResponseStarted',
      )
      .map(({ requestURI }) => Number(/resourceVersion=(\d+)/.exec(requestURI)?.[1]));
  await until('it watches for the third time', () => versions().length >= 3, 20_000);
  const [first = 0, second = 0] = versions();
  assert(second > first, `a bookmark carried ${first} on: ${versions().join(' ')}`);
  assert.equal(maps.informer.health().lists, 1);
  assert(!maps.log.lines.some((line) => line.startsWith('warn')), maps.log.lines.join('\n'));
  direct.close();
});

test('months: the audit log shows who asked, and that watching wrote nothing', () => {
  const asked = server.audit().filter(({ userAgent }) => userAgent === 'test');
  assert(asked.some(({ verb, objectRef }) => verb === 'watch' && objectRef?.resource === 'pods'));
  const writes = writesOf(asked, 'system:serviceaccount:wholegroup-system:rotated');
  assert.deepEqual(writes, []);
});
