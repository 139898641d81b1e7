// The controller as a process of a test, with the token of its Deployment's pod.
import { join } from 'node:path';
import { unbuilt } from '../agent/agent-node.ts';
import type { ApiServer } from '../support/api-server.ts';
import { freePorts, PlainProcess } from '../support/plain-process.ts';

/** One running controller. */
export interface RunningController extends AsyncDisposable {
  readonly process: PlainProcess;
  /** Its metrics as text. */
  metrics(): Promise<string>;
}

/** Starts one under a name of its own and waits until it has heard everything. `program`: what starts it. */
export async function startController(
  server: ApiServer,
  name: string,
  program: readonly string[] = unbuilt,
): Promise<RunningController> {
  const token = await server.tokenFor({
    serviceAccount: 'wholegroup-controller',
    node: 'worker-1',
  });
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const running = new PlainProcess({
    program: process.execPath,
    args: [
      ...[...program, 'controller', '--kubeconfig', server.kubeconfigFor(token)],
      ...['--lease-namespace', 'wholegroup-system', '--listen', address],
    ],
    logFile: join(server.folder, `${name}.log`),
  });
  const ready = async (): Promise<boolean> => (await fetch(`http://${address}/readyz`)).ok;
  // With tens of thousands of objects on a busy machine it takes minutes.
  await running.until(ready, name, 600_000);
  return {
    process: running,
    metrics: async () => (await fetch(`http://${address}/metrics`)).text(),
    [Symbol.asyncDispose]: () => running.stop(),
  };
}
