// The cluster that a command of the plugin asks: the flags that choose it, named as kubectl names them, and the client.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { kubeconfigPaths } from '../../cluster/access/kubeconfig.ts';
import { ApiClient } from '../../cluster/client.ts';
import { noClusterMetrics } from '../../cluster/metrics.ts';
import { CodedError } from '../../base/errors.ts';
import { ClusterReader } from '../../kubectl/reader.ts';
import { realClock } from '../../observe/real-clock.ts';
import { apiAccess } from '../api-access.ts';
import { userAgentOf } from '../api-client.ts';

/** Which cluster. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Which namespaces to look for pods in. */
export interface NamespaceFlags {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A cluster that is being asked. */
export interface Session extends Disposable {
  readonly client: ApiClient;
  readonly reader: ClusterReader;
  /** Of the context. */
  readonly namespace: string;
  readonly nowMs: number;
}

/** Adds the flags that choose the cluster. */
export function addClusterFlags(command: Command): Command {
  return command
    .option(
      '--kubeconfig <file>',
      'kubeconfig (default: the files of KUBECONFIG, else ~/.kube/config)',
    )
    .option('--context <name>', 'context of the kubeconfig');
}

/** In a pod kubectl goes by the service account, unless a kubeconfig is there: so does its plugin. */
function howOf(flags: ClusterFlags, environment: Environment): 'kubeconfig' | 'in-cluster' {
  const { kubeconfig, context } = flags;
  if (kubeconfig !== undefined || context !== undefined) return 'kubeconfig';
  const files = kubeconfigPaths({ environment });
  const inPod = environment['KUBERNETES_SERVICE_HOST'] !== undefined;
  return inPod && !files.some((file) => existsSync(file)) ? 'in-cluster' : 'kubeconfig';
}

/** Connects. Throws CodedError when it is not said where to, or with what. */
export async function openSession(flags: ClusterFlags, env: Environment): Promise<Session> {
  const clock = realClock();
  const parts = { clock, log: silentLog };
  const access = await apiAccess({ ...flags, api: howOf(flags, env) }, { env, ...parts });
  if (access === null) throw new CodedError('WG_KUBECONFIG_INVALID', 'no cluster is named');
  const client = new ApiClient({
    ...{ access, clock, metrics: noClusterMetrics, random: seededRandom(clock.wallMs()) },
    userAgent: userAgentOf('kubectl-wholegroup'),
  });
  return {
    client,
    reader: new ClusterReader(client),
    namespace: access.namespace,
    nowMs: clock.wallMs(),
    [Symbol.dispose]: () => client.close(),
  };
}
