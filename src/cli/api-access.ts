// Flags that say how the Kubernetes API is reached, and the access that they mean.
import { type Command, Option } from 'commander';
import type { Clock } from '../base/clock.ts';
import { CodedError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ClusterAccess } from '../cluster/access/access.ts';

/** How the API server is reached. */
export interface ApiFlags {
  readonly api?: 'none' | 'in-cluster' | 'kubeconfig';
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** What access is made with. */
export interface AccessParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Adds the flags. */
export function addApiFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--api <how>',
        'how the Kubernetes API is reached (default: in-cluster where a pod has it, kubeconfig with --kubeconfig or --context, else none)',
      ).choices(['none', 'in-cluster', 'kubeconfig']),
    )
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, else ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig');
}

function howOf(flags: ApiFlags, { env }: AccessParts): NonNullable<ApiFlags['api']> {
  if (flags.api !== undefined) return flags.api;
  if (flags.kubeconfig !== undefined || flags.context !== undefined) return 'kubeconfig';
  return env['KUBERNETES_SERVICE_HOST'] === undefined ? 'none' : 'in-cluster';
}

/** The access that the flags mean; null without an API server. Throws CodedError when it cannot be had. */
export async function apiAccess(
  flags: ApiFlags,
  parts: AccessParts,
): Promise<ClusterAccess | null> {
  const { env, clock, log } = parts;
  switch (howOf(flags, parts)) {
    case 'none':
      return null;
    case 'kubeconfig': {
      const { kubeconfigAccess } = await import('../cluster/access/kubeconfig.ts');
      const { kubeconfig, context } = flags;
      return kubeconfigAccess({
        ...{ environment: env, clock },
        ...(kubeconfig === undefined ? {} : { file: kubeconfig }),
        ...(context === undefined ? {} : { context }),
      });
    }
    case 'in-cluster': {
      const host = env['KUBERNETES_SERVICE_HOST'];
      const port = env['KUBERNETES_SERVICE_PORT'];
      if (host === undefined || port === undefined) {
        throw new CodedError(
          'WG_FLAG_INVALID',
          '--api in-cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, as they are in a pod',
        );
      }
      const { inClusterAccess } = await import('../cluster/access/in-cluster.ts');
      return inClusterAccess({ host, port, clock, log });
    }
  }
}
