// Controllers of Kubernetes itself beside the API server of a test: only those that are named, for what the server
// alone does not do (garbage collection, aggregation of roles, checking the types of admission policies).
import { join } from 'node:path';
import type { ApiServer } from './api-server.ts';
import { PlainProcess } from './plain-process.ts';

/** Names as kube-controller-manager knows them. */
export type ControllerName =
  | 'garbage-collector-controller'
  | 'clusterrole-aggregation-controller'
  | 'validatingadmissionpolicy-status-controller';

/** Starts the controllers; they end with the block that has them. They take a few seconds to look around. */
export function startControllers(
  server: ApiServer,
  names: readonly ControllerName[],
): AsyncDisposable {
  const running = new PlainProcess({
    program: join(server.binaries, 'kube-controller-manager'),
    args: [
      ...[`--kubeconfig=${server.kubeconfig}`, `--controllers=${names.join(',')}`],
      ...['--leader-elect=false', '--secure-port=0', '--kube-api-qps=200', '--kube-api-burst=400'],
    ],
    logFile: join(server.folder, 'kube-controller-manager.log'),
  });
  return { [Symbol.asyncDispose]: async () => await running.stop('SIGKILL') };
}
