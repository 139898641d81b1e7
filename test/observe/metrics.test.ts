import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentMeter } from '../../src/agent/ports.ts';
import { groupPhases } from '../../src/api/iommu-group.ts';
import type { DevicePluginMetrics } from '../../src/kubelet/metrics.ts';
import { type MetricEntry, metricCatalogue } from '../../src/observe/metric-catalogue.ts';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import { metricSet } from '../../src/observe/registry.ts';
import { blockerKinds } from '../../src/ownership/catalogue.ts';
import type { ResourceName } from '../../src/policy/policy.ts';

async function scraped(run: (metrics: Metrics) => void): Promise<ReadonlyMap<string, number>> {
  const metrics = createMetrics({ version: '1.2.3' });
  try {
    run(metrics);
    const lines = (await metrics.text())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  } finally {
    metrics.close();
  }
}

test('every series of a closed label is there, at zero, before anything has happened', async () => {
  const series = await scraped(() => undefined);
  for (const phase of groupPhases)
    assert.equal(series.get(`wholegroup_groups{phase="${phase}"}`), 0);
  for (const kind of blockerKinds)
    assert.equal(series.get(`wholegroup_groups_blocked{kind="${kind}"}`), 0);
  assert.equal(series.get('wholegroup_registrations_total{result="failed"}'), 0);
  assert.equal(series.get('wholegroup_owner_mixed_total'), 0);
  assert.equal(series.get('wholegroup_claim_seconds_count'), 0);
  const request =
    'wholegroup_device_plugin_request_seconds_bucket{le="+Inf",method="PreStartContainer",outcome="refused"}';
  assert.equal(series.get(request), 0);
});

test('the catalogue keeps to the conventions of Prometheus', () => {
  for (const [name, entry] of Object.entries<MetricEntry>(metricCatalogue)) {
    assert.match(name, /^(wholegroup|process)_[a-z_]+$/);
    assert.match(entry.help, /^[A-Z].*\.$/, name);
    assert.equal(
      entry.kind === 'counter',
      name.endsWith('_total'),
      `${name}: counters and only they end in _total`,
    );
    assert.equal(
      entry.kind === 'histogram',
      entry.buckets !== undefined,
      `${name}: histograms and only they have buckets`,
    );
    if (entry.kind === 'histogram') assert.match(name, /_seconds$/);
    const buckets = entry.buckets ?? [];
    assert.deepEqual(
      buckets,
      [...buckets].sort((a, b) => a - b),
      `${name}: buckets ascend`,
    );
    const series = Object.values(entry.labels ?? {}).reduce(
      (product, values) => product * values.length,
      1,
    );
    assert(series * (buckets.length + 3) <= 200, `${name}: ${series} label sets are too many`);
  }
});

test('every metric of the catalogue is exposed, and nothing beside it', async () => {
  const metrics = createMetrics({ version: '1.2.3' });
  const named = [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name, kind]) => `${name} ${kind}`,
  );
  metrics.close();
  assert.deepEqual(
    named.sort(),
    Object.entries(metricCatalogue)
      .map(([name, entry]) => `${name} ${entry.kind}`)
      .sort(),
  );
});

test('the recorders are what the agent and the device plugin ask for, and each call is seen', async () => {
  const series = await scraped(({ agent, devicePlugin, ...rest }) => {
    const meter: AgentMeter = agent;
    const plugin: DevicePluginMetrics = devicePlugin;
    const resource = 'example.com/nic' as ResourceName;
    meter.claimed(0.3);
    meter.returned(0.3);
    meter.allocated(0.002);
    meter.ownerBecameMixed();
    meter.restoreFailed();
    meter.surveyed('hint');
    meter.offersPushed(0.02);
    plugin.allocated(resource, 0.001, 'granted');
    plugin.allocated(resource, 0.001, 'refused');
    plugin.preStarted(resource, 0.2, 'ready');
    plugin.registration(resource, 'registered');
    plugin.listSent(resource);
    plugin.openStreams(resource, 1);
    plugin.openStreams('example.com/gpu' as ResourceName, 2);
    plugin.openStreams(resource, 0);
    rest.hinted('uevent');
    rest.kernelPending(3);
    rest.recordsQuarantined(1);
    rest.policies(4, 2);
  });
  const request = (labels: string): string =>
    `wholegroup_device_plugin_request_seconds_count{${labels}}`;
  const expected = {
    wholegroup_claim_seconds_sum: 0.3,
    'wholegroup_claim_seconds_bucket{le="0.25"}': 0,
    'wholegroup_claim_seconds_bucket{le="0.5"}': 1,
    wholegroup_return_seconds_count: 1,
    wholegroup_allocate_seconds_count: 1,
    wholegroup_owner_mixed_total: 1,
    wholegroup_restore_failures_total: 1,
    'wholegroup_surveys_total{trigger="hint"}': 1,
    'wholegroup_surveys_total{trigger="poll"}': 0,
    wholegroup_offer_lag_seconds_count: 1,
    [request('method="Allocate",outcome="accepted"')]: 1,
    [request('method="Allocate",outcome="refused"')]: 1,
    [request('method="PreStartContainer",outcome="accepted"')]: 1,
    'wholegroup_registrations_total{result="registered"}': 1,
    wholegroup_lists_sent_total: 1,
    wholegroup_list_and_watch_streams: 2,
    'wholegroup_hints_total{source="uevent"}': 1,
    wholegroup_kernel_pending: 3,
    wholegroup_records_quarantined: 1,
    'wholegroup_policies{state="in_force"}': 4,
    'wholegroup_policies{state="problem"}': 2,
    [`wholegroup_build_info{version="1.2.3",node="${process.versions.node}"}`]: 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(series.get(name), value, name);
  assert((series.get('process_resident_memory_bytes') ?? 0) > 1e6);
  assert((series.get('process_cpu_seconds_total') ?? 0) > 0);
  assert(Math.abs((series.get('process_start_time_seconds') ?? 0) - Date.now() / 1000) < 3600);
});

test('groups are counted by phase, and once for each kind of blocker; what is gone goes back to zero', async () => {
  const series = await scraped((metrics) => {
    metrics.groups([{ phase: 'Faulted', blockers: [{ kind: 'RootDisk' }] }]);
    metrics.groups([
      {
        phase: 'WithHost',
        blockers: [{ kind: 'SwapActive' }, { kind: 'SwapActive' }, { kind: 'SoundInUse' }],
      },
      { phase: 'WithHost', blockers: [{ kind: 'SwapActive' }] },
      { phase: 'Assigned', blockers: [] },
    ]);
  });
  const value = (labels: string): number | undefined => series.get(`wholegroup_groups${labels}`);
  assert.deepEqual(
    [value('{phase="WithHost"}'), value('{phase="Assigned"}'), value('{phase="Faulted"}')],
    [2, 1, 0],
  );
  assert.deepEqual(
    [
      value('_blocked{kind="SwapActive"}'),
      value('_blocked{kind="SoundInUse"}'),
      value('_blocked{kind="RootDisk"}'),
    ],
    [2, 1, 0],
  );
});

test('two sets of metrics share nothing', async () => {
  const [first, second] = [createMetrics({ version: 'a' }), createMetrics({ version: 'b' })];
  first.agent.restoreFailed();
  assert.match(await second.text(), /^wholegroup_restore_failures_total 0$/m);
  first.close();
  second.close();
});

test('a blocked event loop is seen at the next scrape and forgotten at the one after', async () => {
  const metrics = createMetrics({ version: 'a' });
  const longest = async (): Promise<number> =>
    Number(
      /^wholegroup_event_loop_delay_seconds\{quantile="1"\} (\S+)$/m.exec(
        await metrics.text(),
      )?.[1],
    );
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(250);
  const until = performance.now() + 400;
  while (performance.now() < until);
  await wait(150);
  const blocked = await longest();
  assert(blocked > 0.2 && blocked < 5, `${blocked}`);
  await wait(250);
  const afterwards = await longest();
  metrics.close();
  assert(afterwards < blocked, `${afterwards}`);
});

test('asking for a metric of another kind is a bug that throws', () => {
  assert.throws(
    () => metricSet().counter('wholegroup_groups'),
    /wholegroup_groups is not a counter/,
  );
});
