// Every value of the chart does what it says, shown on what the real Helm renders; what is no value is refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { chartFolder } from './helm.ts';
import { at, renderer } from './rendered.ts';
import { type ValueRow, valueRows } from './value-rows.ts';

const chart = await renderer();

/** Values that are themselves whatever Kubernetes takes there: their parts are not ours. */
const whole = new Set(valueRows.map(({ value }) => value));

function leaves(value: unknown, path: string): readonly string[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap || whole.has(path)) return [path];
  return Object.entries(value).flatMap(([key, below]) =>
    leaves(below, path === '' ? key : `${path}.${key}`),
  );
}

test('every value has a row', () => {
  const values: unknown = parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8'));
  assert.deepEqual([...leaves(values, '')].sort(), valueRows.map(({ value }) => value).sort());
});

function holds(found: unknown, what: unknown): void {
  if (typeof what === 'object' && what !== null && 'has' in what) {
    assert.ok(Array.isArray(found) && found.includes(what.has), `${String(found)} has it`);
  } else if (typeof what === 'object' && what !== null && 'volume' in what) {
    const paths = (found as readonly unknown[]).map((volume) => at(volume, 'hostPath.path'));
    assert.ok(paths.includes(what.volume), `${paths.join(' ')} has it`);
  } else {
    assert.deepEqual(found, what);
  }
}

async function check(row: ValueRow): Promise<void> {
  const objects = await chart.objects([...(row.with ?? []), `${row.value}=${row.set}`]);
  const before = await chart.objects(row.with);
  for (const [where, what] of row.shows) {
    const [kind = '', name = '', path = ''] = where.split(' ');
    const of = (all: typeof objects): unknown =>
      at(
        all.find((each) => each.kind === kind && each.metadata.name === name),
        path,
      );
    holds(of(objects), what);
    assert.throws(() => holds(of(before), what), `${where} is so without the value too`);
  }
}

describe('a value shows where it must', { concurrency: 2 }, () => {
  for (const row of valueRows) test(`${row.value}=${row.set}`, async () => await check(row));
});

describe('values that are refused, with their path', () => {
  for (const [value, why] of [
    ['agent.replicas=2', /agent.*replicas/s],
    ['delivery="mounts"', /delivery/],
    ['agent.capabilities=["ALL"]', /capabilities/],
    ['agent.port=0', /port/],
    ['kubelet.dir="var/lib"', /kubelet.*dir/s],
    ['image.digest="sha256:1"', /digest/],
    ['simulatedKernel.profile="5.10"', /profile/],
    ['controller.replicas=0', /replicas/],
    ['monitoring.podMonitor="yes"', /podMonitor/],
    ['agent.extraArgs=["kernel"]', /extraArgs/],
    ['networkPolicy.apiServerPorts=[]', /apiServerPorts/],
    ['colour="red"', /colour/],
  ] as const) {
    test(value, async () => assert.match(await chart.refusal([value]), why));
  }
});

test('a topology may come as a file, as values, or by its name', async () => {
  const simulated = 'simulatedKernel.enabled=true';
  const file = join(import.meta.dirname, '../../src/kernel/model/topologies/two-numa.yaml');
  const fromFile = await chart.objects(
    [simulated],
    ['--set-file', `simulatedKernel.topology=${file}`],
  );
  const text = (objects: typeof fromFile): unknown =>
    objects
      .filter(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'wholegroup-topology',
      )
      .map((object) => at(object, 'data'))
      .map((data) => (data as Readonly<Record<string, string>>)['topology.yaml'])[0];
  assert.equal(text(fromFile), `${readFileSync(file, 'utf8').trimEnd()}\n`);
  const fromValues = await chart.objects([simulated, 'simulatedKernel.topology={"name": "mine"}']);
  assert.deepEqual(JSON.parse(String(text(fromValues))), { name: 'mine' });
  assert.equal(text(await chart.objects([simulated])), undefined);
});

for (const [wanted, served, rendered] of [
  ['"auto"', true, true],
  ['"auto"', false, false],
  ['true', false, true],
  ['false', true, false],
] as const) {
  const there = served ? 'is' : 'is not';
  test(`monitoring ${wanted} where the operator ${there} installed: ${rendered}`, async () => {
    const flags = served ? ['--api-versions', 'monitoring.coreos.com/v1'] : [];
    const set = ['podMonitor', 'prometheusRule'].map((each) => `monitoring.${each}=${wanted}`);
    const kinds = (await chart.objects(set, flags)).map(({ kind }) => kind);
    assert.equal(kinds.includes('PodMonitor'), rendered);
    assert.equal(kinds.includes('PrometheusRule'), rendered);
  });
}
