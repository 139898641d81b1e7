// Installs wholegroup into a cluster of a test, as a person does: `helm install` of the chart in this checkout.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describedCluster } from '../../kind/described.ts';
import type { AnyCluster } from '../harness/any-cluster.ts';
import { type ClusterOptions, logsVariable, startCluster } from '../harness/cluster.ts';
import { type Install, preparedInstall } from '../harness/product.ts';
import { run } from '../harness/run.ts';
import { policies, policiesPath, topology } from './machine.ts';
import { removeInstall } from './remove.ts';
import { productNamespace, Stage } from './stage.ts';
import { until, usualMs } from './wait.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** What a scenario wants otherwise. */
export interface StageOptions extends Omit<ClusterOptions, 'images'> {
  /** Values of the chart: `--set` of helm. */
  readonly set?: readonly string[];
  /** The machine of every node: a topology file's text, or the name of a bundled one; that of machine.ts unless said. */
  readonly machine?: string;
  /** The nodes have kernels of their own: none is simulated. */
  readonly ownKernels?: boolean;
  /** Policies; those of machine.ts unless said. */
  readonly offered?: readonly object[];
}

const release = 'wholegroup';

/** helm with a home of its own. */
export async function helm(
  cluster: AnyCluster,
  install: Install,
  args: readonly string[],
): Promise<string> {
  const { folder, kubeconfig } = cluster.api;
  const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: kubeconfig };
  const { status, stdout, stderr } = await run(install.helm, args, { env, cwd: root });
  if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Arguments for the simulated machine of every node. */
function machineArguments(cluster: AnyCluster, machine: string): string[] {
  const enabled = ['--set', 'simulatedKernel.enabled=true'];
  if (!machine.includes('\n')) return [...enabled, '--set', `simulatedKernel.topology=${machine}`];
  const file = join(cluster.api.folder, 'machine.yaml');
  writeFileSync(file, machine);
  return [...enabled, '--set-file', `simulatedKernel.topology=${file}`];
}

/** Arguments of `helm install` and `helm upgrade`. */
export function chartArguments(
  cluster: AnyCluster,
  { machine = topology, ownKernels = false, set = [] }: StageOptions,
): string[] {
  const values = [
    // Kubelets of tests are young all the time.
    'agent.kubeletReadySeconds=3',
    'controller.replicas=1',
    // Where somebody keeps logs, all of it.
    ...(process.env[logsVariable] === undefined ? [] : ['agent.logLevel=debug']),
    ...set,
  ];
  return [
    ...[release, join(root, 'charts', 'wholegroup'), '--namespace', productNamespace],
    ...(ownKernels ? [] : machineArguments(cluster, machine)),
    ...values.flatMap((value) => ['--set', value]),
  ];
}

/** A cluster without wholegroup: one of its own, or the one that the environment names, which is emptied at the end. */
async function emptyStage(options: StageOptions): Promise<Stage> {
  const install = await preparedInstall();
  const described = describedCluster(process.env);
  if (described === null) return new Stage(await startCluster({ ...options, ...install }));
  const { nodes, labels, kubelet } = options;
  assert(
    nodes === undefined && labels === undefined && kubelet === undefined,
    'the nodes of a cluster that is there are as they are',
  );
  return new Stage(described, async () => {
    await removeInstall(described, async (args) => await helm(described, install, args));
  });
}

/** A cluster with wholegroup and policies, ready when every agent is; without them, where told not to install. */
export async function openStage(
  options: StageOptions & { readonly install?: false } = {},
): Promise<Stage> {
  const stage = await emptyStage(options);
  const { cluster } = stage;
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
      ...[
        'rollout',
        'status',
        '-n',
        productNamespace,
        workload,
        `--timeout=${(3 * usualMs) / 1000}s`,
      ],
    );
}

/** Creates a policy; the definition may be there a moment before objects are taken. */
async function applyPolicy(stage: Stage, body: object): Promise<void> {
  await until('policies are taken', async () => {
    const { status } = await stage.ask({ method: 'POST', path: policiesPath, body });
    return status === 201 ? true : null;
  });
}
