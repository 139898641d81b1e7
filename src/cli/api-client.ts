// The client of the Kubernetes API that one process has, with what everything that is built on it shares.
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type Random, seededRandom } from '../base/random.ts';
import type { ClusterAccess } from '../cluster/access/access.ts';
import { ApiClient } from '../cluster/client.ts';
import type { ClusterMetrics } from '../cluster/metrics.ts';
import { version } from './version.ts';

/** What a process brings. */
export interface ApiProcess {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ClusterMetrics;
}

/** What informers, writers, recorders and queues are made with. */
export interface ApiParts extends Omit<ApiProcess, 'access'> {
  readonly random: Random;
  readonly client: ApiClient;
}

/** How `component` names itself to the API server. */
export function userAgentOf(component: string): string {
  return `${component}/${version} (${process.platform}/${process.arch})`;
}

/** Connects `component`; nothing is sent yet. Two processes that start together wait for different times. */
export function apiParts(component: string, { access, ...common }: ApiProcess): ApiParts {
  const { clock, metrics } = common;
  const random = seededRandom((process.pid << 8) ^ clock.wallMs());
  const userAgent = userAgentOf(component);
  return {
    ...common,
    random,
    client: new ApiClient({ access, clock, random, metrics, userAgent }),
  };
}
