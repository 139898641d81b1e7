// What the chart renders is sound: lint, least privilege, equal to deploy/, the same by Helm 3 and 4.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { chartFolder, type Manifest, run, templateArgs } from './helm.ts';
import { plainManifests } from './plain-manifests.ts';
import { at, objectIn, renderer } from './rendered.ts';

const root = join(chartFolder, '..', '..');
const chart = await renderer();
const old = await renderer('helm3');
const simulated = ['simulatedKernel.enabled=true'];

for (const { helm } of [chart, old]) {
  test(`${helm.replace(/^.*\//, '')} lint --strict finds nothing`, async () => {
    const { status, stdout, stderr } = await run(helm, ['lint', '--strict', chartFolder]);
    assert.equal(status, 0, stdout + stderr);
  });
}

for (const values of [[], simulated]) {
  test(`Helm 3 and Helm 4 render the same (${values.join(' ') || 'default values'})`, async () => {
    const flags = ['--kube-version', '1.35.0'];
    const [four, three] = await Promise.all(
      [chart, old].map(async (each) => await each.objects(values, flags)),
    );
    assert.ok((four ?? []).length > 20);
    assert.deepEqual(three, four);
  });
}

test('a cluster that is too old is refused', async () => {
  const { status, stderr } = await run(chart.helm, templateArgs([], ['--kube-version', '1.32.9']));
  assert.notEqual(status, 0);
  assert.match(stderr, />=1\.33/);
});

test('deploy/ is the chart with its default values', async () => {
  const manifests = await plainManifests((line) => console.error(line));
  assert.ok(manifests !== null);
  for (const [path, text] of manifests)
    assert.equal(readFileSync(join(root, path), 'utf8'), text, `${path}: npm run gen:deploy`);
  const made = [...manifests.keys(), 'deploy/namespace.yaml'];
  const there = globSync('deploy/**/*.yaml', { cwd: root }).filter(
    (path) => !path.startsWith('deploy/crds/'),
  );
  assert.deepEqual(there.sort(), made.sort());
});

test('definitions are those of src/api, kept when the release goes', async () => {
  const objects = await chart.objects();
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  assert.equal(definitions.length, 3);
  for (const { metadata } of definitions)
    assert.equal(metadata.annotations?.['helm.sh/resource-policy'], 'keep');
});

/** Pods of a manifest, by the name of what makes them. */
function podsIn(objects: readonly Manifest[]): ReadonlyMap<string, unknown> {
  const made = objects
    .filter(({ kind }) => ['DaemonSet', 'Deployment', 'Pod'].includes(kind))
    .map(
      (object) =>
        [
          object.metadata.name,
          object.kind === 'Pod' ? object['spec'] : at(object, 'spec.template.spec'),
        ] as const,
    );
  return new Map(made);
}

const pods = new Map([
  ...podsIn(await chart.objects(simulated)),
  ...[...podsIn(await chart.objects())].map(([name, pod]) => [`${name} (real)`, pod] as const),
]);

describe('least privilege', () => {
  for (const [name, pod] of pods) {
    test(`${name}: not privileged, nothing added, read-only root, RuntimeDefault`, () => {
      const container = at(pod, 'containers.0');
      assert.equal(at(pod, 'securityContext.seccompProfile.type'), 'RuntimeDefault');
      for (const field of ['hostPID', 'hostNetwork', 'hostIPC'])
        assert.equal(at(pod, field), undefined);
      const security = at(container, 'securityContext');
      assert.equal(at(security, 'privileged'), false);
      assert.equal(at(security, 'allowPrivilegeEscalation'), false);
      assert.equal(at(security, 'readOnlyRootFilesystem'), true);
      assert.deepEqual(at(security, 'capabilities.drop'), ['ALL']);
      const real = name === 'wholegroup-agent (real)';
      const added = real ? ['DAC_READ_SEARCH', 'SYS_ADMIN', 'SYS_PTRACE'] : undefined;
      assert.deepEqual(at(security, 'capabilities.add'), added);
      assert.ok(at(container, 'resources.limits.memory') !== undefined);
    });
  }

  test('only agent and simulated kernel are user 0', () => {
    const root = [...pods].filter(([, pod]) => at(pod, 'securityContext.runAsUser') === 0);
    assert.deepEqual(
      root
        .map(([name]) => name.replace(/ .*/, ''))
        .filter((name, i, all) => all.indexOf(name) === i)
        .sort(),
      ['wholegroup-agent', 'wholegroup-simulated-kernel'],
    );
    const others = [...pods].filter(([, pod]) => at(pod, 'securityContext.runAsUser') !== 0);
    for (const [, pod] of others) assert.equal(at(pod, 'securityContext.runAsNonRoot'), true);
  });

  test('of the host the agent may write three folders and /sys, and sees the rest read-only', async () => {
    const agent = objectIn(await chart.objects(), 'DaemonSet', 'wholegroup-agent');
    const mounts = at(agent, 'spec.template.spec.containers.0.volumeMounts') as readonly {
      readonly name: string;
      readonly readOnly?: boolean;
    }[];
    const writable = mounts.filter(({ readOnly }) => readOnly !== true).map(({ name }) => name);
    assert.deepEqual(writable, ['state', 'device-plugins', 'cdi', 'sys']);
  });

  test('whoever needs no token has none', () => {
    for (const [name, pod] of pods) {
      const wanted = name.startsWith('wholegroup-simulated-kernel') ? false : undefined;
      const account = at(pod, 'serviceAccountName');
      if (wanted === false) assert.equal(at(pod, 'automountServiceAccountToken'), false);
      else assert.notEqual(account, undefined);
    }
  });
});
