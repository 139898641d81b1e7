// A cluster to try the API side with: a real API server and scheduler, the controller, and for each node a simulated
// machine, a kubelet stand-in and the real agent. Nothing of it touches this machine's devices.
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makePlugin } from '../../scripts/kubectl-plugin.ts';
import { AgentNode } from '../api/agent/agent-node.ts';
import { startController } from '../api/controller/start-controller.ts';
import { type ApiServer, startApiServer } from '../api/support/api-server.ts';
import { PlainProcess } from '../api/support/plain-process.ts';
import { PodsOfNode } from './pods.ts';

/** The nodes, and the bundled machines that they are. */
const machines = { 'worker-1': 'gpu-workstation', 'worker-2': 'sriov-nic-server' } as const;

/** A running cluster. */
export interface TryCluster extends AsyncDisposable {
  readonly server: ApiServer;
  /** What to give a shell: PATH with kubectl and its plugin, KUBECONFIG, and where each machine is served. */
  readonly environment: Readonly<Record<string, string>>;
}

/** kubectl, the plugin as it ships, and the Node.js that runs it. */
async function makePrograms(server: ApiServer): Promise<string> {
  const folder = join(server.folder, 'bin');
  mkdirSync(folder);
  await makePlugin(folder);
  symlinkSync(server.kubectlPath, join(folder, 'kubectl'));
  symlinkSync(process.execPath, join(folder, 'node'));
  return folder;
}

function startScheduler(server: ApiServer): AsyncDisposable {
  const scheduler = new PlainProcess({
    program: join(server.binaries, 'kube-scheduler'),
    args: [`--kubeconfig=${server.kubeconfig}`, '--leader-elect=false', '--secure-port=0'],
    logFile: join(server.folder, 'kube-scheduler.log'),
  });
  return { [Symbol.asyncDispose]: () => scheduler.stop('SIGKILL') };
}

/** Starts all of it; `say` hears what is being started. */
export async function startTryCluster(say: (line: string) => void): Promise<TryCluster> {
  await using starting = new AsyncDisposableStack();
  say('etcd, kube-apiserver and kube-scheduler ...');
  const server = starting.use(await startApiServer());
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac', 'deploy/admission'])
    await server.apply(path);
  // A controller of Kubernetes would make it.
  await server.kubectl(['create', 'serviceaccount', 'default', '--namespace=default']);
  starting.use(startScheduler(server));
  say('the controller ...');
  starting.use(await startController(server, 'controller'));
  const sockets: Record<string, string> = {};
  for (const [name, machine] of Object.entries(machines)) {
    say(`${name}: a simulated ${machine}, a kubelet stand-in, the agent ...`);
    const node = starting.use(await AgentNode.open(server, name, machine));
    await node.startAgent();
    sockets[name.toUpperCase().replace('-', '')] = node.kernelSocket;
    const pods = starting.use(new PodsOfNode(server, node));
    await pods.start();
  }
  const programs = await makePrograms(server);
  const all = starting.move();
  const environment = {
    ...{ PATH: `${programs}:${process.env['PATH'] ?? ''}`, KUBECONFIG: server.kubeconfig },
    ...sockets,
  };
  return { server, environment, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
