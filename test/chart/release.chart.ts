// The chart's life on a real API server, by Helm 3 and by Helm 4: definitions are upgraded and rolled back, objects
// outlive both, and what is left in the end is what docs/operations.md says.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ApiServer, startApiServer } from '../api/support/api-server.ts';
import { until } from '../api/support/waiting.ts';
import { chartFolder, namespace, run } from './helm.ts';
import { laterChart } from './later-chart.ts';
import { renderer } from './rendered.ts';

const folder = mkdtempSync(join(tmpdir(), 'wholegroup-release-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Every kind of the chart that does not come from elsewhere. */
const kinds = [
  ...['daemonsets', 'deployments', 'pods', 'configmaps', 'serviceaccounts', 'secrets', 'leases'],
  ...['networkpolicies', 'poddisruptionbudgets', 'roles', 'rolebindings', 'clusterroles'],
  ...['clusterrolebindings', 'customresourcedefinitions'],
  ...['validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
];

async function succeed(server: ApiServer, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await server.kubectl(args);
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Names of all objects that could be the chart's. */
async function everything(server: ApiServer): Promise<readonly string[]> {
  const names = await succeed(server, ['get', kinds.join(','), '-A', '-o', 'name']);
  return names.trim().split('\n').sort();
}

for (const version of ['helm', 'helm3'] as const) {
  test(`${version}: install, upgrade with definitions, rollback, uninstall, install again`, async () => {
    const { helm } = await renderer(version);
    await using server = await startApiServer();
    const call = async (...args: string[]): Promise<string> => {
      const flags = ['--kubeconfig', server.kubeconfig, '--namespace', namespace];
      const env = { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
      const { status, stdout, stderr } = await run(helm, [...args, ...flags], { env });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const ticket = async (): Promise<string> =>
      await succeed(server, [
        ...['get', 'crd', 'iommugroups.wholegroup.dev', '-o'],
        'jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.cordonTicket.type}',
      ]);
    const before = await everything(server);
    const notes = await call('install', 'wholegroup', chartFolder, '--create-namespace');
    assert.match(notes, /kubectl get ptn/);
    await succeed(server, ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
    const group = {
      ...{ apiVersion: 'wholegroup.dev/v1alpha1', kind: 'IOMMUGroup' },
      metadata: { name: 'n1-0000-65-00-0', labels: { 'wholegroup.dev/node': 'n1' } },
      spec: { cordoned: true, cordonReason: 'fan' },
    };
    const made = await server.kubectl(['create', '-f', '-'], { input: JSON.stringify(group) });
    assert.equal(made.status, 0, made.stderr);

    const installed = await everything(server);
    assert.equal(await ticket(), '');
    await call('upgrade', 'wholegroup', laterChart(folder));
    assert.equal(await ticket(), 'string', 'the definition is upgraded');
    await call('rollback', 'wholegroup', '1');
    assert.equal(await ticket(), '', 'the definition is rolled back');
    const cordoned = ['get', 'ig', 'n1-0000-65-00-0', '-o', 'jsonpath={.spec.cordonReason}'];
    assert.equal(await succeed(server, cordoned), 'fan', 'objects outlive both');
    const notSecrets = (names: readonly string[]): readonly string[] =>
      names.filter((name) => !name.startsWith('secret/'));
    assert.deepEqual(notSecrets(await everything(server)), notSecrets(installed));

    await call('uninstall', 'wholegroup');
    const left = (await everything(server)).filter((name) => !before.includes(name));
    assert.deepEqual(
      left.filter((name) => !/^(serviceaccount\/default|configmap\/kube-root-ca)/.test(name)),
      ['iommugroups', 'passthroughnodes', 'passthroughpolicies'].map(
        (plural) => `customresourcedefinition.apiextensions.k8s.io/${plural}.wholegroup.dev`,
      ),
    );
    assert.equal(await succeed(server, cordoned), 'fan', 'with the definitions their objects stay');
    await call('install', 'wholegroup', chartFolder);
    assert.equal(await succeed(server, cordoned), 'fan');
    await call('uninstall', 'wholegroup');
    // kubectl's own wait has no end, and now and then misses the last event.
    const all = ['crd', '-l', 'app.kubernetes.io/name=wholegroup'];
    await succeed(server, ['delete', '--wait=false', ...all]);
    const stillThere = async (): Promise<string> =>
      await succeed(server, ['get', '-o', 'name', ...all]);
    await until('definitions go', async () => (await stillThere()) === '', { limitMs: 60_000 });
    const last = (await everything(server)).filter((name) => name.includes('wholegroup'));
    assert.deepEqual(last, []);
  });
}

test('the plain manifests of deploy/ are taken whole by a server that has nothing', async () => {
  await using server = await startApiServer();
  const apply = ['apply', '--server-side', '-f'];
  await succeed(server, [...apply, 'deploy/namespace.yaml']);
  const said = await succeed(server, [...apply, 'deploy', '-R']);
  for (const name of ['daemonset.apps/wholegroup-agent', 'deployment.apps/wholegroup-controller'])
    assert.match(said, new RegExp(`^${name} serverside-applied$`, 'm'));
});
