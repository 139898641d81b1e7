// A whole Kubernetes of one to four nodes for a test, as plain processes in the run's enclosure.
//
//   await using cluster = await startCluster({ nodes: 2 });   // about 6 s; the end of the block ends all of it
//   cluster.api.kubectl(['get', 'nodes'])                      // see test/api/support/api-server.ts
//   cluster.nodes[0].stop('kubelet'); cluster.nodes[0].start('kubelet')
//
// No DNS and no kube-proxy: pods find the API server under its service address, and nothing else under one.
import { cpSync, existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PlainProcess } from '../../api/support/plain-process.ts';
import { type ApiServer, startApiServer } from '../../api/support/api-server.ts';
import { writeClientCertificate } from '../../api/support/certificates.ts';
import { Unavailable } from '../../kernel/rig/apt.ts';
import { built, type Tell } from '../build.ts';
import { type AnyCluster, nodeNamed } from './any-cluster.ts';
import { enclosingRun } from './enclosure.ts';
import { ClusterNode, type NodePrograms } from './node.ts';
import { clearNetwork, layNetwork } from './network.ts';
import { hubAddress } from './node-files.ts';

/** What a test may want otherwise. */
export interface ClusterOptions {
  /** One unless said, four at most. */
  readonly nodes?: number;
  /** Names of nodes that come from elsewhere: with them there may be none of the cluster's own. */
  readonly elsewhere?: readonly string[];
  /** Labels of nodes by name. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Fields of the kubelet's configuration. */
  readonly kubelet?: Readonly<Record<string, unknown>>;
  /** Archives of images that every node gets. */
  readonly images: readonly string[];
  /** Told what has come how far. */
  readonly tell?: Tell;
}

const nodesMax = 4;

/** A running cluster. */
export class Cluster implements AnyCluster {
  readonly api: ApiServer;
  readonly nodes: readonly ClusterNode[];
  /** Those of Kubernetes that are no node's: they can be stopped and started too. */
  readonly #parts: readonly PlainProcess[];

  constructor(api: ApiServer, nodes: readonly ClusterNode[], parts: readonly PlainProcess[]) {
    this.api = api;
    this.nodes = nodes;
    this.#parts = parts;
  }

  /** The node of that name. */
  node(name: string): ClusterNode {
    return nodeNamed(this.nodes, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) keepLogs(node.path('/var/log/pods'), this.api.folder, node.name);
    await Promise.all(this.nodes.map(async (node) => await node[Symbol.asyncDispose]()));
    await Promise.all(this.#parts.map(async (part) => await part.stop('SIGKILL')));
    keepLogs(this.api.folder, this.api.folder);
    await this.api[Symbol.asyncDispose]();
    await clearNetwork();
  }
}

/** Variable that names a folder in which the logs of clusters are kept. */
export const logsVariable = 'WHOLEGROUP_CLUSTER_LOGS';

/** Keeps logs below a folder that is named after the cluster's, where a person asked for it. */
function keepLogs(from: string, cluster: string, part = ''): void {
  const to = process.env[logsVariable];
  if (to === undefined || to === '' || !existsSync(from)) return;
  for (const file of globSync('**/*.log', { cwd: from }))
    cpSync(join(from, file), join(to, basename(cluster), part, file), { dereference: true });
}

/** The folder of a program; throws Unavailable where it cannot be had. */
async function folderOf(name: Parameters<typeof built>[0], tell: Tell): Promise<string> {
  const result = await built(name, tell);
  if (result.kind === 'missing') throw new Unavailable(result.why);
  return result.folder;
}

/** Folders of all that a node runs, built where they are not. */
export async function nodePrograms(tell: Tell): Promise<NodePrograms> {
  return {
    kubernetes: await folderOf('kubernetes', tell),
    containerd: await folderOf('containerd', tell),
    runc: await folderOf('runc', tell),
    cni: await folderOf('cni', tell),
  };
}

/** The token with which the kubelet of a node shows itself to the API server. */
export const kubeletToken = (name: string): string => `kubelet-token-${name}`;

async function startApi(names: readonly string[]): Promise<ApiServer> {
  return await startApiServer({
    // The port of the service address: nothing translates it.
    port: 443,
    users: names.map(
      (name) => `${kubeletToken(name)},system:node:${name},kubelet-${name},"system:nodes"`,
    ),
    flags: ['--bind-address=0.0.0.0', `--advertise-address=${hubAddress}`],
    prepare: (folder) => {
      writeClientCertificate(folder, 'kubelet-client', '/O=system:masters/CN=apiserver');
      return [
        `--client-ca-file=${join(folder, 'ca.crt')}`,
        `--kubelet-client-certificate=${join(folder, 'kubelet-client.crt')}`,
        `--kubelet-client-key=${join(folder, 'kubelet-client.key')}`,
        '--kubelet-preferred-address-types=InternalIP',
      ];
    },
  });
}

function startParts(api: ApiServer): PlainProcess[] {
  const part = (name: string, args: readonly string[]): PlainProcess =>
    new PlainProcess({
      program: join(api.binaries, name),
      args: [
        ...[`--kubeconfig=${api.kubeconfig}`, '--leader-elect=false', '--secure-port=0'],
        ...args,
      ],
      logFile: join(api.folder, `${name}.log`),
    });
  return [
    part('kube-scheduler', []),
    part('kube-controller-manager', [
      // A taint of a node that has become ready is taken away as soon.
      '--node-monitor-period=1s',
      `--service-account-private-key-file=${join(api.folder, 'tokens.key')}`,
      `--root-ca-file=${join(api.folder, 'ca.crt')}`,
    ]),
  ];
}

/** Starts one and returns when every node is ready and pods can be made. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { nodes: count = 1, elsewhere = [], labels = {}, kubelet = {}, images } = options;
  const { tell = () => undefined } = options;
  enclosingRun();
  if (count + elsewhere.length < 1 || count > nodesMax)
    throw new Error(`${count} nodes: one to ${nodesMax} there are`);
  const programs = await nodePrograms(tell);
  const startedMs = performance.now();
  const note = (what: string): void =>
    tell(`${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${what}`);
  await layNetwork();
  const names = Array.from({ length: count }, (_, at) => `n${at + 1}`);
  const api = await startApi([...names, ...elsewhere]);
  note('the API server answers');
  const parts = startParts(api);
  const nodes = names.map((name, at) => {
    const kubeconfig = api.kubeconfigFor(kubeletToken(name), `https://${hubAddress}:443`);
    const logs = join(api.folder, name);
    const own = labels[name] ?? {};
    const { caFile } = api;
    return new ClusterNode({
      index: at + 1,
      programs,
      logs,
      caFile,
      kubeconfig,
      labels: own,
      kubelet,
    });
  });
  const cluster = new Cluster(api, nodes, parts);
  try {
    await Promise.all(nodes.map(async (node) => await bringUp(node, images)));
    note('images are imported');
    await allReady(cluster);
    note('every node is ready');
    return cluster;
  } catch (thrown) {
    await cluster[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function bringUp(node: ClusterNode, images: readonly string[]): Promise<void> {
  await node.prepare();
  node.start('containerd');
  await node.containerdReady();
  // An import mounts for a moment; a kubelet that starts just then finds a mount that is gone, and ends.
  for (const image of images) await node.importImage(image);
  node.start('kubelet');
}

interface NodeBody {
  readonly status: { readonly conditions?: readonly { type: string; status: string }[] };
}

/** True when the node says that it is ready. */
async function isReady(api: ApiServer, name: string): Promise<boolean> {
  const path = `/api/v1/nodes/${name}`;
  const { status, body } = await api.call({ method: 'GET', path, token: api.tokens.admin });
  if (status !== 200) return false;
  const { conditions = [] } = (body as NodeBody).status;
  return conditions.some((each) => each.type === 'Ready' && each.status === 'True');
}

async function allReady({ api, nodes }: Cluster): Promise<void> {
  for (const node of nodes) await node.until('kubelet', async () => await isReady(api, node.name));
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  const call = { method: 'GET', path: account, token: api.tokens.admin } as const;
  while ((await api.call(call)).status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 50));
}
