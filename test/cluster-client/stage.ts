// What every case of the client layer is played on: an API server, a proxy that breaks things in front of it, a client
// that goes through the proxy and one that does not. The small server in `npm test`, a real one in `npm run test:api`.
import type { Clock } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import { type ClusterAccess, plainTls } from '../../src/cluster/access/access.ts';
import { ApiClient } from '../../src/cluster/client.ts';
import { Informer, type InformerOptions } from '../../src/cluster/informer/informer.ts';
import type { InformerTimings } from '../../src/cluster/informer/timings.ts';
import { type ClusterMetrics, noClusterMetrics } from '../../src/cluster/metrics.ts';
import type { KubeObject, Resource } from '../../src/cluster/objects.ts';
import type { ApiResult } from '../../src/cluster/problem.ts';
import { FaultProxy } from './fault-proxy.ts';
import { SmallApi } from './small-api.ts';

export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return { clear: () => clearTimeout(timer) };
  },
};

/** A log that is kept. */
export function keptLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (event: string, fields?: object): void =>
      void lines.push(`${level} ${event} ${JSON.stringify(fields ?? {})}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export const configMaps: Resource = {
  ...{ group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' },
};

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Access with a fixed token. */
export function tokenAccess(server: string, token: string, ca: () => string | null): ClusterAccess {
  let tls = { ...plainTls, ca: ca() };
  return {
    server,
    namespace: 'default',
    credentials: () => Promise.resolve({ tls, authorization: `Bearer ${token}` }),
    refused: () => {
      tls = { ...plainTls, ca: ca() };
    },
  };
}

export function clientFor(
  access: ClusterAccess,
  metrics: ClusterMetrics = noClusterMetrics,
  clock: Clock = realClock,
): ApiClient {
  return new ApiClient({ access, clock, random: seededRandom(1), metrics, userAgent: 'test' });
}

/** Where a case is played. Every stage has a label of its own, so that cases do not see each other's objects. */
export interface Stage extends AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly direct: ApiClient;
  readonly client: ApiClient;
  readonly label: string;
  readonly compact: () => Promise<void>;
}

/** A stage with the small server. */
export async function smallStage(options: { readonly bookmarkMs?: number } = {}): Promise<Stage> {
  const api = await SmallApi.start(options);
  const proxy = await FaultProxy.start({ upstream: api.url });
  const direct = clientFor(tokenAccess(api.url, 'token', () => null));
  const client = clientFor(tokenAccess(proxy.url, 'token', () => null));
  return {
    ...{ proxy, direct, client, label: 'small' },
    compact: () => Promise.resolve(api.compact()),
    [Symbol.asyncDispose]: async () => {
      client.close();
      direct.close();
      await proxy.close();
      await api.close();
    },
  };
}

/** Makes, changes and removes ConfigMaps behind the proxy's back. */
export function objectsOf({ direct, label }: Pick<Stage, 'direct' | 'label'>) {
  const at = (name: string) => ({ namespace: 'default', name: `${label}-${name}` });
  const object = (name: string, value: string): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...at(name), labels: { case: label } },
    data: { value },
  });
  const must = async <T>(answer: Promise<ApiResult<T>>): Promise<T> => {
    const result = await answer;
    if (!result.ok) throw new Error(JSON.stringify(result.problem));
    return result.value;
  };
  return {
    create: (name: string, value = '1') => must(direct.create(configMaps, object(name, value))),
    change: (name: string, value: string) => must(direct.replace(configMaps, object(name, value))),
    remove: (name: string) => must(direct.remove(configMaps, at(name))),
    bulk: async (names: readonly string[]): Promise<void> => {
      for (const name of names) await must(direct.create(configMaps, object(name, '1')));
    },
  };
}

export const quickTimings: Partial<InformerTimings> = {
  backoff: { baseMs: 20, capMs: 400 },
  slow: { baseMs: 50, capMs: 400 },
  watchSeconds: 30,
  idleMs: 20_000,
  listSilenceMs: 5000,
};

/** A running informer that writes down what it is told. */
export interface Watched extends AsyncDisposable {
  readonly informer: Informer<ConfigMap>;
  /** `added a=1`, `updated a=2`, `deleted a=2`, in order. */
  readonly told: string[];
  readonly log: ReturnType<typeof keptLog>;
  /** What is in the cache now: `a=1 b=2`. */
  cached(): string;
  stop(): Promise<void>;
}

/** Watches the ConfigMaps of a stage through its proxy. */
export function watched(stage: Stage, options: Partial<InformerOptions<ConfigMap>> = {}): Watched {
  const log = keptLog();
  const told: string[] = [];
  const text = ({ metadata, data }: ConfigMap): string =>
    `${metadata.name.slice(stage.label.length + 1)}=${data?.value}`;
  const informer = new Informer<ConfigMap>({
    ...{ client: stage.client, resource: configMaps, namespace: 'default', log },
    labelSelector: `case=${stage.label}`,
    ...{ clock: realClock, random: seededRandom(7), metrics: noClusterMetrics },
    ...options,
    timings: { ...quickTimings, ...options.timings },
  });
  informer.onChange({
    added: (object) => void told.push(`added ${text(object)}`),
    updated: (object) => void told.push(`updated ${text(object)}`),
    deleted: (object) => void told.push(`deleted ${text(object)}`),
  });
  const over = new AbortController();
  const running = informer.run(over.signal);
  const stop = async (): Promise<void> => {
    over.abort();
    await running;
  };
  const cached = (): string => [...informer.values()].map(text).sort().join(' ');
  return { informer, told, log, cached, stop, [Symbol.asyncDispose]: stop };
}
