// Installs wholegroup into a cluster of a test, as a person does: `helm install` of the chart in this checkout.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Cluster,
  type ClusterOptions,
  logsVariable,
  startCluster,
} from '../harness/cluster.ts';
import { type Install, preparedInstall } from '../harness/product.ts';
import { run } from '../harness/run.ts';
import { policies, policiesPath, topology } from './machine.ts';
import { productNamespace, Stage } from './stage.ts';
import { until } from './wait.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** What a scenario wants otherwise. */
export interface StageOptions extends Omit<ClusterOptions, 'images'> {
  /** Values of the chart: `--set` of helm. */
  readonly set?: readonly string[];
  /** The machine of every node: a topology file's text, or the name of a bundled one; that of machine.ts unless said. */
  readonly machine?: string;
  /** Policies; those of machine.ts unless said. */
  readonly offered?: readonly object[];
}

const release = 'wholegroup';

/** helm with a home of its own. */
export async function helm(
  cluster: Cluster,
  install: Install,
  args: readonly string[],
): Promise<string> {
  const { folder, kubeconfig } = cluster.api;
  const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: kubeconfig };
  const { status, stdout, stderr } = await run(install.helm, args, { env, cwd: root });
  if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Arguments of `helm install` and `helm upgrade` for a simulated machine. */
export function chartArguments(
  cluster: Cluster,
  { machine = topology, set = [] }: StageOptions,
): string[] {
  const bundled = !machine.includes('\n');
  const file = join(cluster.api.folder, 'machine.yaml');
  if (!bundled) writeFileSync(file, machine);
  const values = [
    'simulatedKernel.enabled=true',
    // Kubelets of tests are young all the time.
    'agent.kubeletReadySeconds=3',
    'controller.replicas=1',
    // Where somebody keeps logs, all of it.
    ...(process.env[logsVariable] === undefined ? [] : ['agent.logLevel=debug']),
    ...set,
  ];
  return [
    ...[release, join(root, 'charts', 'wholegroup'), '--namespace', productNamespace],
    ...(bundled
      ? ['--set', `simulatedKernel.topology=${machine}`]
      : ['--set-file', `simulatedKernel.topology=${file}`]),
    ...values.flatMap((value) => ['--set', value]),
  ];
}

/** A cluster with wholegroup and policies, ready when every agent is; without them, where told not to install. */
export async function openStage(
  options: StageOptions & { readonly install?: false } = {},
): Promise<Stage> {
  const { images } = await preparedInstall();
  const cluster = await startCluster({ ...options, images });
  const stage = new Stage(cluster);
  try {
    if (options.install !== false) await installOn(stage, options);
    return stage;
  } catch (thrown) {
    const pods = await cluster.api.kubectl(['describe', 'pods', '-n', productNamespace]);
    await stage[Symbol.asyncDispose]();
    throw new Error(`wholegroup was not installed:\n${pods.stdout.slice(-6000)}`, {
      cause: thrown,
    });
  }
}

/** Installs the chart and the policies; returns when agents and controllers are ready. */
export async function installOn(stage: Stage, options: StageOptions = {}): Promise<void> {
  const install = await preparedInstall();
  const args = ['install', ...chartArguments(stage.cluster, options), '--create-namespace'];
  await helm(stage.cluster, install, args);
  for (const body of options.offered ?? policies) await applyPolicy(stage, body);
  for (const workload of ['daemonset/wholegroup-agent', 'deployment/wholegroup-controller'])
    await stage.kubectl(
      ...['rollout', 'status', '-n', productNamespace, workload, '--timeout=180s'],
    );
}

/** Creates a policy; the definition may be there a moment before objects are taken. */
async function applyPolicy(stage: Stage, body: object): Promise<void> {
  await until('policies are taken', async () => {
    const { status } = await stage.ask({ method: 'POST', path: policiesPath, body });
    return status === 201 ? true : null;
  });
}
