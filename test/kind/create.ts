// A kind cluster of one control plane and one worker: created by kind from the image made here, given a network for its
// pods, which kind would fetch, and described in a file for the test files that use it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfig } from '../api/support/server-flags.ts';
import type { Tell } from '../cluster/build.ts';
import type { Host } from '../cluster/harness/host.ts';
import { podNetwork } from '../cluster/harness/node-files.ts';
import { dockerHost, type KindParts, said, startDocker } from './docker.ts';
import { type KindDescription, nodePid } from './described.ts';
import { nodeImageName } from './node-image.ts';

const cluster = 'wholegroup';
const apiPort = 6443;
const administrator = 'kube-system:wholegroup-test';
const onNode = '/etc/kubernetes/admin.conf';

/**
 * What kind reads: no network plugin, no DNS, kubelets as tests want them. Names are those that docker answers for: the
 * proxy of the worker asks for the control plane by its own.
 */
function configuration(host: Host): string {
  const kubelet = {
    kind: 'KubeletConfiguration',
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    fileCheckFrequency: '1s',
    nodeStatusUpdateFrequency: '1s',
    crashLoopBackOff: { maxContainerRestartPeriod: '1s' },
  };
  return JSON.stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: {
      ...{ disableDefaultCNI: true, kubeProxyMode: 'nftables', podSubnet: '10.244.0.0/16' },
      ...{ apiServerAddress: host.address, apiServerPort: apiPort },
    },
    kubeadmConfigPatches: [
      JSON.stringify({ kind: 'ClusterConfiguration', dns: { disabled: true } }),
      JSON.stringify(kubelet),
    ],
    nodes: [{ role: 'control-plane' }, { role: 'worker' }],
  });
}

interface NodeOfKind {
  readonly name: string;
  readonly address: string;
  readonly pods: string;
}

/** Names of the nodes, the worker first: what tests do, they do there. */
const nodeNames = [`${cluster}-worker`, `${cluster}-control-plane`] as const;

function kubectl(host: Host, args: readonly string[]): Promise<string> {
  return said(host, [
    ...['docker', 'exec', nodeNames[1], 'kubectl', `--kubeconfig=${onNode}`],
    ...args,
  ]);
}

async function nodeOf(host: Host, name: string): Promise<NodeOfKind> {
  const format = '{{.NetworkSettings.Networks.kind.IPAddress}}';
  const address = await said(host, ['docker', 'inspect', '--format', format, name]);
  const pods = await kubectl(host, ['get', 'node', name, '-o', 'jsonpath={.spec.podCIDR}']);
  if (pods === '') throw new Error(`${name} has no addresses for pods`);
  return { name, address: address.trim(), pods };
}

/** Pods of every node have addresses of their own, and nodes know the way to those of the others. */
async function connectPods(host: Host): Promise<void> {
  const nodes = await Promise.all(nodeNames.map(async (name) => await nodeOf(host, name)));
  for (const { name, pods } of nodes) {
    const enter = ['docker', 'exec', '-i', name];
    for (const other of nodes.filter((each) => each.name !== name))
      await said(host, [...enter, ...['ip', 'route', 'replace', other.pods, 'via', other.address]]);
    const file = '/etc/cni/net.d/10-pods.conflist';
    await said(host, [...enter, 'sh', '-c', `cat >${file}`], podNetwork(pods));
  }
  await kubectl(host, ['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=180s']);
  // kind calls a node ready before its proxy runs.
  const proxy = ['-n', 'kube-system', 'daemonset/kube-proxy'];
  await kubectl(host, ['rollout', 'status', ...proxy, '--timeout=180s']);
}

/** A token of an administrator, for there is only a certificate. */
async function administratorToken(host: Host): Promise<string> {
  const [namespace = '', name = ''] = administrator.split(':');
  await kubectl(host, ['create', 'serviceaccount', name, '-n', namespace]);
  const whom = ['--clusterrole=cluster-admin', `--serviceaccount=${administrator}`];
  await kubectl(host, ['create', 'clusterrolebinding', name, ...whom]);
  const token = ['create', 'token', name, '-n', namespace, '--duration=24h'];
  return (await kubectl(host, token)).trim();
}

/** The certificate that a kubeconfig of kind has in it. */
async function authority(host: Host): Promise<string> {
  const config = ['config', 'view', '--raw', '-o'];
  const path = 'jsonpath={.clusters[0].cluster.certificate-authority-data}';
  return Buffer.from(await kubectl(host, [...config, path]), 'base64').toString();
}

async function describe(
  host: Host,
  { programs }: KindParts,
  folder: string,
): Promise<KindDescription> {
  mkdirSync(folder, { recursive: true });
  const url = `https://${host.address}:${apiPort}`;
  const [caFile, config] = [join(folder, 'ca.crt'), join(folder, 'admin.conf')];
  writeFileSync(caFile, await authority(host));
  const token = await administratorToken(host);
  writeFileSync(config, kubeconfig(url, caFile, token), { mode: 0o600 });
  const nodes = [];
  for (const name of nodeNames) {
    const format = ['docker', 'inspect', '--format', '{{.State.Pid}}', name];
    nodes.push({ name, pid: nodePid(Number(await said(host, format))) });
  }
  return { folder, url, caFile, kubeconfig: config, token, binaries: programs.kubernetes, nodes };
}

/** A running cluster, until the end of the block that has it. */
export interface KindCluster extends AsyncDisposable {
  readonly description: KindDescription;
}

/** What a cluster is made with. */
export interface KindOptions {
  readonly parts: KindParts;
  readonly nodeImage: string;
  /** Archives that every node gets. */
  readonly images: readonly string[];
  readonly folder: string;
  readonly tell: Tell;
}

/** Creates one and returns when pods can be made. */
export async function createCluster(options: KindOptions): Promise<KindCluster> {
  const { parts, nodeImage, images, folder, tell } = options;
  const startedMs = performance.now();
  const note = (what: string): void =>
    tell(`${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${what}`);
  const host = dockerHost(parts, join(folder, 'docker'));
  const end = async (): Promise<void> => {
    await host[Symbol.asyncDispose]();
  };
  try {
    await host.prepare();
    await startDocker(host);
    note('docker answers');
    await said(host, ['docker', 'load', '--input', nodeImage]);
    note('the image of the nodes is loaded');
    host.write('/etc/kind.yaml', configuration(host));
    const named = ['--name', cluster, '--image', nodeImageName, '--config', '/etc/kind.yaml'];
    await said(host, ['kind', 'create', 'cluster', ...named, '--retain']).catch(
      async (cause: unknown) => await tellWhy(host, cause),
    );
    note('kind has created the cluster');
    await connectPods(host);
    note('every node is ready');
    for (const image of images)
      await said(host, ['kind', 'load', 'image-archive', image, '--name', cluster]);
    note('images are loaded');
    const description = await describe(host, parts, folder);
    return {
      description,
      [Symbol.asyncDispose]: async () => {
        const beganMs = performance.now();
        await said(host, ['kind', 'delete', 'cluster', '--name', cluster]);
        const left = await said(host, ['docker', 'ps', '--all', '--quiet']);
        if (left !== '') throw new Error(`kind has left containers behind: ${left}`);
        tell(
          `kind has deleted the cluster in ${((performance.now() - beganMs) / 1000).toFixed(1)} s`,
        );
        await host.stop('dockerd', 'SIGTERM');
        await end();
      },
    };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

/** Throws with what the nodes say themselves. */
async function tellWhy(host: Host, cause: unknown): Promise<never> {
  const told = await Promise.all(
    nodeNames.map(async (name) => {
      const { stdout } = await host.run(['docker', 'logs', '--tail', '20', name]);
      const journal = ['docker', 'exec', name, 'tail', '-n', '20', '/var/log/kubelet.log'];
      return `${name}:\n${stdout}${(await host.run(journal)).stdout}`;
    }),
  );
  throw new Error(`kind did not create a cluster:\n${told.join('\n')}`, { cause });
}
