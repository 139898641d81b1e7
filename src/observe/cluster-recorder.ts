// The metrics of the way to the Kubernetes API as typed recording functions.
import type { MetricSet } from './registry.ts';

/** What the client of the Kubernetes API records. `resource` is one of the resources that wholegroup knows. */
export interface ClusterRecorder {
  requested(verb: string, result: string, seconds: number): void;
  listed(resource: string, reason: 'start' | 'expired'): void;
  watchBroke(resource: string): void;
  heard(resource: string): void;
  wrote(resource: string, result: 'written' | 'failed'): void;
  event(result: 'sent' | 'merged' | 'dropped'): void;
  leading(leads: boolean): void;
}

/** Recording functions over the metrics of one process. */
export function clusterRecorder(set: MetricSet): ClusterRecorder {
  return {
    requested: (verb, result, seconds) => {
      set.counter('wholegroup_api_requests_total').inc({ verb, result });
      set.histogram('wholegroup_api_request_seconds').observe({ verb }, seconds);
    },
    listed: (resource, reason) =>
      set.counter('wholegroup_api_lists_total').inc({ resource, reason }),
    watchBroke: (resource) => set.counter('wholegroup_api_watch_failures_total').inc({ resource }),
    heard: (resource) =>
      set.gauge('wholegroup_api_last_heard_timestamp_seconds').set({ resource }, Date.now() / 1000),
    wrote: (resource, result) =>
      set.counter('wholegroup_api_writes_total').inc({ resource, result }),
    event: (result) => set.counter('wholegroup_kubernetes_events_total').inc({ result }),
    leading: (leads) => set.gauge('wholegroup_leader').set(leads ? 1 : 0),
  };
}
