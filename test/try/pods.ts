// What a real kubelet does with the API server, for the stand-in: pods that are bound to the node are made and ended in
// it, what became of them and how many devices the node has is written back. Everything else of a Node stays as it is.
import { seededRandom } from '../../src/base/random.ts';
import { silentLog } from '../../src/base/log.ts';
import { kubeconfigAccess } from '../../src/cluster/access/kubeconfig.ts';
import { ApiClient } from '../../src/cluster/client.ts';
import { Informer } from '../../src/cluster/informer/informer.ts';
import { noClusterMetrics } from '../../src/cluster/metrics.ts';
import { type KubeObject, resources } from '../../src/cluster/objects.ts';
import { demandOf } from '../../src/kubectl/pod-demand.ts';
import type { SeenNode, SeenPod } from '../../src/kubectl/seen.ts';
import { realClock } from '../../src/observe/real-clock.ts';
import type { ContainerSpec, PodView } from '../../src/standin/pod.ts';
import type { AgentNode } from '../api/agent/agent-node.ts';
import { mergePatch } from '../api/support/api-call.ts';
import type { ApiServer } from '../api/support/api-server.ts';

const tickMs = 300;
const ordinary = { cpu: '8', memory: '32Gi', pods: '110' };

type Body = Readonly<Record<string, unknown>>;

/** Containers as the stand-in wants them: names, and whole numbers of extended resources. */
function containersOf(pod: SeenPod): readonly ContainerSpec[] {
  return (pod.spec?.containers ?? []).map((container) => {
    const alone = { ...pod, spec: { containers: [container] } };
    return { name: container.name, devices: Object.fromEntries(demandOf(alone)) };
  });
}

function stateOf({ state }: PodView['containers'][number]): object {
  switch (state.kind) {
    case 'running':
      return { running: {} };
    case 'waiting':
      return { waiting: { reason: state.reason, message: state.message } };
    case 'terminated':
      return {
        terminated: { exitCode: state.code, reason: state.code === 0 ? 'Completed' : 'Error' },
      };
  }
}

function statusOf(view: PodView): Body {
  const { phase, reason, message } = view;
  return {
    phase,
    ...(reason === '' ? {} : { reason, message }),
    containerStatuses: view.containers.map((container) => ({
      ...{ name: container.name, restartCount: container.restarts, image: 'none', imageID: '' },
      ready: container.state.kind === 'running',
      state: stateOf(container),
    })),
  };
}

/** Joins the stand-in of one node to the API server until it is disposed of. */
export class PodsOfNode implements AsyncDisposable {
  readonly #server: ApiServer;
  readonly #node: AgentNode;
  readonly #ending = new AbortController();
  /** Stand-in's uid by the API server's. */
  readonly #runs = new Map<string, string>();
  readonly #said = new Map<string, string>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(server: ApiServer, node: AgentNode) {
    this.#server = server;
    this.#node = node;
  }

  /** Begins. */
  async start(): Promise<void> {
    const clock = realClock();
    const access = await kubeconfigAccess({
      environment: {},
      file: this.#server.kubeconfig,
      clock,
    });
    const common = { clock, random: seededRandom(1), metrics: noClusterMetrics };
    const client = new ApiClient({ ...common, access, userAgent: 'kubelet-standin' });
    const parts = { ...common, client, log: silentLog };
    const pods = new Informer({
      ...{ ...parts, resource: resources.pods },
      fieldSelector: `spec.nodeName=${this.#node.name}`,
    });
    const nodes = new Informer<SeenNode>({
      ...{ ...parts, resource: resources.passthroughNodes },
      fieldSelector: `metadata.name=${this.#node.name}`,
    });
    // A new Node is tainted until its kubelet says that it is ready, which it is: here.
    const call = { method: 'PATCH', path: `/api/v1/nodes/${this.#node.name}` } as const;
    const body = { spec: { taints: null } };
    const token = this.#server.tokens.admin;
    await this.#server.call({ ...call, token, contentType: mergePatch, body });
    const { signal } = this.#ending;
    this.#running = Promise.all([
      ...[pods.run(signal), nodes.run(signal), this.#tick(pods, nodes, signal)],
    ]).then(() => client.close());
  }

  async #tick(pods: Informer, nodes: Informer<SeenNode>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (pods.hasSynced) {
        await this.#publishNode(nodes.get(this.#node.name)).catch(() => undefined);
        for (const pod of pods.values()) await this.#follow(pod).catch(() => undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, tickMs));
    }
  }

  /** One pod: made in the stand-in when it is new, ended when it is being deleted, its status written when it is another. */
  async #follow(pod: KubeObject & SeenPod): Promise<void> {
    const { kubelet } = this.#node;
    const { uid = '', name, namespace = 'default', deletionTimestamp } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const containers = containersOf(pod);
    if (containers.every(({ devices }) => Object.keys(devices).length === 0)) {
      // The agent's own pod, and others without devices: nothing of theirs runs here.
      if (deletionTimestamp !== undefined) await this.#forget(path, uid);
      return;
    }
    if (!this.#runs.has(uid) && deletionTimestamp === undefined)
      this.#runs.set(uid, kubelet.createPod({ namespace, name, containers }));
    const run = this.#runs.get(uid) ?? '';
    if (deletionTimestamp !== undefined) kubelet.deletePod(run, { graceMs: 0 });
    const view = kubelet.pod(run);
    if (view === undefined) {
      if (deletionTimestamp !== undefined) await this.#forget(path, uid);
      return;
    }
    await this.#write(`${path}/status`, statusOf(view));
  }

  async #forget(path: string, uid: string): Promise<void> {
    const token = this.#server.tokens.admin;
    await this.#server.call({ method: 'DELETE', path: `${path}?gracePeriodSeconds=0`, token });
    this.#runs.delete(uid);
    this.#said.delete(`${path}/status`);
  }

  async #publishNode(own: SeenNode | undefined): Promise<void> {
    const names = (own?.status?.resources ?? []).map(({ resourceName }) => resourceName);
    const quantities = names.map((name) => [name, this.#node.kubelet.quantity(name)] as const);
    const of = (which: 'capacity' | 'allocatable'): object => ({
      ...ordinary,
      ...Object.fromEntries(quantities.map(([name, each]) => [name, String(each[which])])),
    });
    await this.#write(`/api/v1/nodes/${this.#node.name}/status`, {
      ...{ capacity: of('capacity'), allocatable: of('allocatable') },
      conditions: [{ type: 'Ready', status: 'True', reason: 'Standin', message: 'a stand-in' }],
    });
  }

  /** Writes a status that is another than the last. */
  async #write(path: string, status: Body): Promise<void> {
    const text = JSON.stringify(status);
    if (this.#said.get(path) === text) return;
    const token = this.#server.tokens.admin;
    const call = { method: 'PATCH', path, token, contentType: mergePatch } as const;
    const answer = await this.#server.call({ ...call, body: { status } });
    if (answer.status === 200) this.#said.set(path, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }
}
