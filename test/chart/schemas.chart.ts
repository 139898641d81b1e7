// Every manifest is as Kubernetes says its kinds are: kubeconform -strict, with the schemas of the API server itself.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startApiServer } from '../api/support/api-server.ts';
import { type Run, programPath, run, templateArgs } from './helm.ts';
import { type OpenApi, writeSchemas } from './kubernetes-schemas.ts';
import { renderer } from './rendered.ts';

const folder = mkdtempSync(join(tmpdir(), 'wholegroup-schemas-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the schemas of the API server that was built; how many, and of which version. */
async function askForSchemas(): Promise<{ readonly count: number; readonly minor: string }> {
  await using server = await startApiServer();
  const ask = async (path: string): Promise<unknown> =>
    (await server.call({ method: 'GET', path, token: server.tokens.admin })).body;
  const count = writeSchemas((await ask('/openapi/v2')) as OpenApi, folder);
  const { major, minor } = (await ask('/version')) as { major: string; minor: string };
  return { count, minor: `${major}.${minor}` };
}

const { count, minor } = await askForSchemas();
const { helm } = await renderer();
const kubeconform = await programPath('kubeconform', (line) => console.error(line));
const location = join(folder, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
const conform = async (input: string): Promise<Run> => {
  const skip = 'PodMonitor,PrometheusRule';
  const args = ['-strict', '-summary', '-skip', skip, '-schema-location', location, '-'];
  return await run(kubeconform ?? '', args, { input });
};
const variants: Readonly<Record<string, readonly string[]>> = {
  'default values': [],
  'a simulated kernel': ['simulatedKernel.enabled=true', 'simulatedKernel.topology={"name":"x"}'],
  'everything on': [
    ...['monitoring.podMonitor=true', 'monitoring.prometheusRule=true'],
    ...['monitoring.dashboard.enabled=true', 'agent.seLinuxType="spc_t"'],
    ...['imagePullSecrets=["s"]', 'agent.nodeSelector={"a":"b"}'],
  ],
  'everything off': [
    ...['crds.install=false', 'admissionPolicies.enabled=false', 'networkPolicy.enabled=false'],
    ...['controller.replicas=1', 'agent.capabilities=[]', 'agent.tolerations=[]'],
  ],
};

test('the schemas can refuse: a field that is not known, and one of the wrong type', async () => {
  assert.ok(count > 100);
  const pod = (spec: object): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec });
  const container = { name: 'c', image: 'i' };
  assert.equal((await conform(pod({ containers: [container] }))).status, 0);
  assert.notEqual((await conform(pod({ containers: [container], colour: 1 }))).status, 0);
  assert.notEqual((await conform(pod({ containers: [{ ...container, image: 1 }] }))).status, 0);
});

for (const [name, values] of Object.entries(variants)) {
  test(`kubeconform -strict, Kubernetes ${minor}: ${name}`, async () => {
    const { stdout } = await run(helm, templateArgs(values));
    const { status, stdout: said, stderr } = await conform(stdout);
    assert.equal(status, 0, said + stderr);
    assert.match(said, /Invalid: 0, Errors: 0/);
  });
}

for (const other of ['1.33', '1.34', '1.35', '1.36', '1.37'].filter((each) => each !== minor)) {
  const why = `no API server of ${other} to ask for its schemas; there is one of ${minor}`;
  test(`kubeconform -strict, Kubernetes ${other}`, { skip: why }, () => undefined);
}
