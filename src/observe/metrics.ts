// The metrics as typed recording functions, grouped by who records. No names and no labels outside observe/.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { GroupPhase } from '../api/iommu-group.ts';
import type { BlockerKind } from '../ownership/catalogue.ts';
import { groupPhases } from '../api/iommu-group.ts';
import { blockerKinds } from '../ownership/catalogue.ts';
import { type ClusterRecorder, clusterRecorder } from './cluster-recorder.ts';
import { type MetricSet, metricSet } from './registry.ts';

/** What the node loop records. Durations in seconds. */
export interface AgentRecorder {
  claimed(seconds: number): void;
  returned(seconds: number): void;
  allocated(seconds: number): void;
  ownerBecameMixed(): void;
  restoreFailed(): void;
  surveyed(trigger: 'start' | 'hint' | 'poll' | 'policy' | 'round'): void;
  offersPushed(lagSeconds: number): void;
}

/** What the device plugin records. Resource names are not labels: policies make them up. */
export interface DevicePluginRecorder {
  allocated(resource: string, seconds: number, outcome: 'granted' | 'refused'): void;
  preStarted(resource: string, seconds: number, outcome: 'ready' | 'refused'): void;
  registration(resource: string, outcome: 'registered' | 'failed'): void;
  listSent(resource: string): void;
  openStreams(resource: string, count: number): void;
}

/** A group as far as it is counted. */
export interface CountedGroup {
  readonly phase: GroupPhase;
  readonly blockers: readonly { readonly kind: BlockerKind }[];
}

/** All metrics of one process. */
export interface Metrics {
  readonly agent: AgentRecorder;
  readonly devicePlugin: DevicePluginRecorder;
  readonly cluster: ClusterRecorder;
  /** Every group as it is now; replaces what was recorded before. */
  groups(groups: Iterable<CountedGroup>): void;
  hinted(source: 'uevent' | 'inotify' | 'overflow'): void;
  kernelPending(calls: number): void;
  recordsQuarantined(files: number): void;
  policies(inForce: number, problems: number): void;
  /** The text of a scrape. */
  text(): Promise<string>;
  /** Content type of that text. */
  readonly contentType: string;
  /** Stops measuring the event loop. */
  close(): void;
}

function agentRecorder(set: MetricSet): AgentRecorder {
  return {
    claimed: (seconds) => set.histogram('wholegroup_claim_seconds').observe(seconds),
    returned: (seconds) => set.histogram('wholegroup_return_seconds').observe(seconds),
    allocated: (seconds) => set.histogram('wholegroup_allocate_seconds').observe(seconds),
    ownerBecameMixed: () => set.counter('wholegroup_owner_mixed_total').inc(),
    restoreFailed: () => set.counter('wholegroup_restore_failures_total').inc(),
    surveyed: (trigger) => set.counter('wholegroup_surveys_total').inc({ trigger }),
    offersPushed: (lagSeconds) => set.histogram('wholegroup_offer_lag_seconds').observe(lagSeconds),
  };
}

function devicePluginRecorder(set: MetricSet): DevicePluginRecorder {
  const streams = new Map<string, number>();
  const answered = (method: string, seconds: number, refused: boolean): void => {
    const labels = { method, outcome: refused ? 'refused' : 'accepted' };
    set.histogram('wholegroup_device_plugin_request_seconds').observe(labels, seconds);
  };
  return {
    allocated: (_resource, seconds, outcome) =>
      answered('Allocate', seconds, outcome === 'refused'),
    preStarted: (_resource, seconds, outcome) =>
      answered('PreStartContainer', seconds, outcome === 'refused'),
    registration: (_resource, result) =>
      set.counter('wholegroup_registrations_total').inc({ result }),
    listSent: () => set.counter('wholegroup_lists_sent_total').inc(),
    openStreams: (resource, count) => {
      streams.set(resource, count);
      if (count === 0) streams.delete(resource);
      const total = [...streams.values()].reduce((sum, each) => sum + each, 0);
      set.gauge('wholegroup_list_and_watch_streams').set(total);
    },
  };
}

function countGroups(set: MetricSet, groups: Iterable<CountedGroup>): void {
  const phases = new Map<GroupPhase, number>();
  const kinds = new Map<BlockerKind, number>();
  for (const group of groups) {
    phases.set(group.phase, (phases.get(group.phase) ?? 0) + 1);
    for (const kind of new Set(group.blockers.map((each) => each.kind))) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
  }
  for (const phase of groupPhases)
    set.gauge('wholegroup_groups').set({ phase }, phases.get(phase) ?? 0);
  for (const kind of blockerKinds)
    set.gauge('wholegroup_groups_blocked').set({ kind }, kinds.get(kind) ?? 0);
}

/** Coarse on purpose: ten wake-ups a second cost nothing, and what is shorter hurts nobody. */
const loopSampleMs = 100;

/** Measures the event loop and the process; recorded when asked for, at a scrape. */
function processRecorder(set: MetricSet): { record(): void; close(): void } {
  const loop = monitorEventLoopDelay({ resolution: loopSampleMs });
  loop.enable();
  let cpuSeconds = 0;
  return {
    record: () => {
      const delay = set.gauge('wholegroup_event_loop_delay_seconds');
      // The histogram holds times between samples: what is above the sampling interval is delay.
      const seconds = (ns: number): number => Math.max(0, ns / 1e9 - loopSampleMs / 1000);
      delay.set({ quantile: '0.5' }, seconds(loop.percentile(50)));
      delay.set({ quantile: '0.99' }, seconds(loop.percentile(99)));
      delay.set({ quantile: '1' }, seconds(loop.max));
      loop.reset();
      const { user, system } = process.cpuUsage();
      const nowSeconds = (user + system) / 1e6;
      set.counter('process_cpu_seconds_total').inc(Math.max(0, nowSeconds - cpuSeconds));
      cpuSeconds = nowSeconds;
      set.gauge('process_resident_memory_bytes').set(process.memoryUsage.rss());
    },
    close: () => void loop.disable(),
  };
}

/** The metrics of this process, in a registry of their own. `version` is that of wholegroup. */
export function createMetrics(options: { readonly version: string }): Metrics {
  const set = metricSet();
  const thisProcess = processRecorder(set);
  set
    .gauge('wholegroup_build_info')
    .set({ version: options.version, node: process.versions.node }, 1);
  set.gauge('process_start_time_seconds').set(performance.timeOrigin / 1000);
  return {
    agent: agentRecorder(set),
    devicePlugin: devicePluginRecorder(set),
    cluster: clusterRecorder(set),
    groups: (groups) => countGroups(set, groups),
    hinted: (source) => set.counter('wholegroup_hints_total').inc({ source }),
    kernelPending: (calls) => set.gauge('wholegroup_kernel_pending').set(calls),
    recordsQuarantined: (files) => set.gauge('wholegroup_records_quarantined').set(files),
    policies: (inForce, problems) => {
      set.gauge('wholegroup_policies').set({ state: 'in_force' }, inForce);
      set.gauge('wholegroup_policies').set({ state: 'problem' }, problems);
    },
    text: () => {
      thisProcess.record();
      return set.registry.metrics();
    },
    contentType: set.registry.contentType,
    close: () => thisProcess.close(),
  };
}
