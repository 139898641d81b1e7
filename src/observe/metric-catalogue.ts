// Every metric there is: name, kind, help, closed labels, buckets. The registry and docs/reference/metrics.md
// are made from this table. Base units only; counters end in _total.
import { groupPhases } from '../api/iommu-group.ts';
import { blockerKinds } from '../ownership/catalogue.ts';

/** One metric. Every label has a closed list of values, so that a policy cannot blow up a monitoring system. */
export interface MetricEntry {
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** Upper bounds in seconds, for histograms. */
  readonly buckets?: readonly number[];
}

/** From a sysfs write that is done at once to a device that takes a minute to let go. */
const workSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** From an answer out of memory to one that stalls the kubelet. */
const answerSeconds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
] as const;

const apiVerbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;
const writtenResources = ['passthroughpolicies', 'iommugroups', 'passthroughnodes'] as const;
const watchedResources = [...writtenResources, 'nodes', 'pods'] as const;

/** Every metric, in the order of the documentation. */
export const metricCatalogue = {
  wholegroup_build_info: {
    kind: 'gauge',
    help: 'Always 1; its labels tell the versions of wholegroup and of Node.js.',
    labels: { version: [], node: [] },
  },
  wholegroup_groups: {
    kind: 'gauge',
    help: 'IOMMU groups that a policy selects or that are not with the host, by phase.',
    labels: { phase: groupPhases },
  },
  wholegroup_groups_blocked: {
    kind: 'gauge',
    help: 'Groups that cannot be released now, by kind of blocker; a group counts once for each kind.',
    labels: { kind: blockerKinds },
  },
  wholegroup_owner_mixed_total: {
    kind: 'counter',
    help: 'Times a group was found with a kernel driver beside a member bound to VFIO.',
  },
  wholegroup_claim_seconds: {
    kind: 'histogram',
    help: 'Time from the beginning of a claim until the whole group was taken.',
    buckets: workSeconds,
  },
  wholegroup_return_seconds: {
    kind: 'histogram',
    help: 'Time from the beginning of a return until the whole group was back with the host.',
    buckets: workSeconds,
  },
  wholegroup_allocate_seconds: {
    kind: 'histogram',
    help: 'Time the agent took to decide an Allocate, with the durable record.',
    buckets: answerSeconds,
  },
  wholegroup_offer_lag_seconds: {
    kind: 'histogram',
    help: 'Time from noticing a change of the host until changed offers were handed to the kubelet streams.',
    buckets: answerSeconds,
  },
  wholegroup_kernel_pending: {
    kind: 'gauge',
    help: 'Calls that are still blocked in the kernel after their deadline.',
  },
  wholegroup_restore_failures_total: {
    kind: 'counter',
    help: 'Returns that could not give a member back as it was.',
  },
  wholegroup_records_quarantined: {
    kind: 'gauge',
    help: 'Record files that cannot be used and wait for a person.',
  },
  wholegroup_policies: {
    kind: 'gauge',
    help: 'Policies in force, and problems of policy files.',
    labels: { state: ['in_force', 'problem'] },
  },
  wholegroup_device_plugin_request_seconds: {
    kind: 'histogram',
    help: 'Time to answer a request of the kubelet, by method and outcome.',
    labels: { method: ['Allocate', 'PreStartContainer'], outcome: ['accepted', 'refused'] },
    buckets: [...answerSeconds, 5, 10, 30],
  },
  wholegroup_registrations_total: {
    kind: 'counter',
    help: 'Attempts to register a resource with the kubelet, by result.',
    labels: { result: ['registered', 'failed'] },
  },
  wholegroup_list_and_watch_streams: {
    kind: 'gauge',
    help: 'Open ListAndWatch streams of all resources; 0 while devices are offered means the kubelet sees none.',
  },
  wholegroup_lists_sent_total: {
    kind: 'counter',
    help: 'Device lists written to ListAndWatch streams.',
  },
  wholegroup_hints_total: {
    kind: 'counter',
    help: 'Hints that something on the host may have changed, by source.',
    labels: { source: ['uevent', 'inotify', 'overflow'] },
  },
  wholegroup_surveys_total: {
    kind: 'counter',
    help: 'Looks at the whole node, by what caused them.',
    labels: { trigger: ['start', 'hint', 'poll', 'policy', 'round'] },
  },
  wholegroup_api_requests_total: {
    kind: 'counter',
    help: 'HTTP requests to the API server by verb and result; none: there was no answer.',
    labels: { verb: apiVerbs, result: ['2xx', '4xx', '409', '429', '5xx', 'none'] },
  },
  wholegroup_api_request_seconds: {
    kind: 'histogram',
    help: 'Time of a request to the API server by verb; of a watch only until it is open.',
    labels: { verb: apiVerbs },
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  wholegroup_api_lists_total: {
    kind: 'counter',
    help: 'Times a whole resource was listed: at the start, or because what was known had expired.',
    labels: { resource: watchedResources, reason: ['start', 'expired'] },
  },
  wholegroup_api_watch_failures_total: {
    kind: 'counter',
    help: 'Watches that ended other than by the timeout of the API server.',
    labels: { resource: watchedResources },
  },
  wholegroup_api_last_heard_timestamp_seconds: {
    kind: 'gauge',
    help: 'When something was heard of a resource last (list, event or bookmark), seconds since the Unix epoch; 0: never.',
    labels: { resource: watchedResources },
  },
  wholegroup_api_writes_total: {
    kind: 'counter',
    help: 'Objects written because they had changed; none while nothing changes.',
    labels: { resource: writtenResources, result: ['written', 'failed'] },
  },
  wholegroup_kubernetes_events_total: {
    kind: 'counter',
    help: 'Kubernetes Events that were sent, merged into a series, or dropped.',
    labels: { result: ['sent', 'merged', 'dropped'] },
  },
  wholegroup_leader: {
    kind: 'gauge',
    help: 'Whether this process is the leader of the controllers: 1 or 0.',
  },
  wholegroup_event_loop_delay_seconds: {
    kind: 'gauge',
    help: 'Delay of the event loop since the last scrape, by quantile; 1 is the longest.',
    labels: { quantile: ['0.5', '0.99', '1'] },
  },
  process_cpu_seconds_total: {
    kind: 'counter',
    help: 'CPU time of the agent process, user and system.',
  },
  process_resident_memory_bytes: {
    kind: 'gauge',
    help: 'Resident memory of the agent process.',
  },
  process_start_time_seconds: {
    kind: 'gauge',
    help: 'Start of the agent process, seconds since the Unix epoch.',
  },
} as const satisfies Record<string, MetricEntry>;

/** Name of a metric. */
export type MetricName = keyof typeof metricCatalogue;
