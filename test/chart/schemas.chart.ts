// Every manifest, and every one in the documentation, is as Kubernetes says its kinds are: kubeconform -strict, with what
// a real API server tells of them, and what the modules of older versions say.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startApiServer } from '../api/support/api-server.ts';
import { pages } from '../docs/pages.ts';
import { programPath, run, templateArgs } from './helm.ts';
import type { Run } from '../support/run.ts';
import { openApiOf, otherVersions } from './kubernetes-openapi.ts';
import { type OpenApi, writeSchemas } from './kubernetes-schemas.ts';
import { renderer } from './rendered.ts';

const folder = mkdtempSync(join(tmpdir(), 'wholegroup-schemas-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What the API server that was built tells, and its version. */
async function askServer(): Promise<{ readonly openApi: OpenApi; readonly version: string }> {
  await using server = await startApiServer();
  const ask = async (path: string): Promise<unknown> =>
    (await server.call({ method: 'GET', path, token: server.tokens.admin })).body;
  const { gitVersion } = (await ask('/version')) as { gitVersion: string };
  return { openApi: (await ask('/openapi/v2')) as OpenApi, version: gitVersion.replace('v', '') };
}

const { helm } = await renderer();
const kubeconform = await programPath('kubeconform', (line) => console.error(line));

async function conform(
  version: string,
  input: string,
  flags: readonly string[] = [],
): Promise<Run> {
  const location = join(folder, version, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
  const skip = 'PodMonitor,PrometheusRule';
  const args = ['-strict', '-summary', '-skip', skip, '-schema-location', location, ...flags, '-'];
  return await run(kubeconform ?? '', args, { input });
}

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

function judge(version: string, openApi: OpenApi): void {
  const count = writeSchemas(openApi, join(folder, version));

  test(`schemas of ${version} can refuse: a field that is not known, one of the wrong type`, async () => {
    assert.ok(count > 100);
    const pod = (spec: object): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec });
    const container = { name: 'c', image: 'i' };
    const status = async (spec: object): Promise<number> =>
      (await conform(version, pod(spec))).status;
    assert.equal(await status({ containers: [container] }), 0);
    assert.notEqual(await status({ containers: [container], colour: 1 }), 0);
    assert.notEqual(await status({ containers: [{ ...container, image: 1 }] }), 0);
  });

  for (const [name, values] of Object.entries(variants)) {
    test(`kubeconform -strict, Kubernetes ${version}: ${name}`, async () => {
      const { stdout } = await run(helm, templateArgs(values, ['--kube-version', version]));
      const { status, stdout: said, stderr } = await conform(version, stdout);
      assert.equal(status, 0, said + stderr);
      assert.match(said, /Invalid: 0, Errors: 0/);
    });
  }
}

const built = await askServer();
judge(built.version, built.openApi);
for (const version of otherVersions) {
  const found = await openApiOf(version);
  if (found.kind === 'found') judge(version, found.openApi);
  else test(`kubeconform -strict, Kubernetes ${version}`, { skip: found.why }, () => undefined);
}

test(`manifests in the documentation are as Kubernetes ${built.version} says`, async () => {
  const texts = pages.flatMap(({ blocks }) =>
    blocks.flatMap(({ language, text }) =>
      language === 'yaml' && /^apiVersion: /m.test(text) ? [text] : [],
    ),
  );
  assert.ok(texts.length > 5);
  // Kinds of ours are held to their schemas by npm test; those of KubeVirt have none here.
  const flags = ['-ignore-missing-schemas'];
  const { status, stdout, stderr } = await conform(built.version, texts.join('---\n'), flags);
  assert.equal(status, 0, stdout + stderr);
});
