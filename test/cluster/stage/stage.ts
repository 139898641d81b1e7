// A cluster with wholegroup installed, and what scenarios ask it from outside: the API server, the kubelet's lists, the
// simulated kernel, the agents' metrics.
import assert from 'node:assert/strict';
import type {
  OperationArguments,
  OperationName,
} from '../../../src/kernel/model/serve-operations.ts';
import type { DeviceHolder } from '../../../src/kubelet/pods.ts';
import { type ApiAnswer, mergePatch } from '../../api/support/api-call.ts';
import type { AnyCluster } from '../harness/any-cluster.ts';
import { type Asked, groupPath, sound } from './machine.ts';
import { type Binding, holdersOn, perform, writeFile } from './node-view.ts';
import type { EventObject, GroupObject, Node, Pod } from './objects.ts';
import { podBody, type PodWish } from './pods.ts';
import { until, usualMs } from './wait.ts';

const podsPath = '/api/v1/namespaces/default/pods';
/** Namespace of the installation. */
export const productNamespace = 'wholegroup-system';

/** The cluster as scenarios see it. */
export class Stage implements AsyncDisposable {
  readonly cluster: AnyCluster;
  /** The node that is meant where none is named. */
  readonly home: string;
  readonly #end: () => Promise<void>;

  /** `end` is called when the stage ends; the cluster is ended without it. */
  constructor(cluster: AnyCluster, end?: () => Promise<void>) {
    this.cluster = cluster;
    const [first] = cluster.nodes;
    assert(first !== undefined, 'a cluster has a node');
    this.home = first.name;
    this.#end = end ?? (async () => await cluster[Symbol.asyncDispose]());
  }

  async ask(request: Asked): Promise<ApiAnswer> {
    return await this.cluster.api.call({ ...request, token: this.cluster.api.tokens.admin });
  }

  /** An object, or null where there is none. */
  async get<T>(path: string): Promise<T | null> {
    const { status, body } = await this.ask({ method: 'GET', path });
    if (status === 404) return null;
    assert.equal(status, 200, `GET ${path}: ${JSON.stringify(body)}`);
    return body as T;
  }

  async create(path: string, body: object): Promise<void> {
    const answer = await this.ask({ method: 'POST', path, body });
    assert.equal(answer.status, 201, `POST ${path}: ${JSON.stringify(answer.body)}`);
  }

  async remove(path: string, query = ''): Promise<void> {
    const { status, body } = await this.ask({ method: 'DELETE', path: `${path}${query}` });
    assert([200, 202, 404].includes(status), `DELETE ${path}: ${JSON.stringify(body)}`);
  }

  /** Merges into an object. */
  async patch(path: string, body: object): Promise<void> {
    const request = { method: 'PATCH', path, body, contentType: mergePatch } as const;
    const answer = await this.ask(request);
    assert.equal(answer.status, 200, `PATCH ${path}: ${JSON.stringify(answer.body)}`);
  }

  async createPod(wish: PodWish): Promise<void> {
    await this.create(podsPath, podBody(wish));
  }

  async pod(name: string): Promise<Pod | null> {
    return await this.get<Pod>(`${podsPath}/${name}`);
  }

  /** Deletes a pod; `force` as `kubectl delete --force --grace-period=0`. */
  async deletePod(name: string, { force = false } = {}): Promise<void> {
    await this.remove(`${podsPath}/${name}`, force ? '?gracePeriodSeconds=0' : '');
  }

  /** Deletes a pod and returns when there is no such object any more. */
  async removePod(name: string): Promise<void> {
    await this.deletePod(name);
    await this.untilPodGone(name);
  }

  /** Returns when there is no such object any more. */
  async untilPodGone(name: string, limitMs = usualMs): Promise<void> {
    const isGone = async (): Promise<true | null> =>
      (await this.pod(name)) === null ? true : null;
    await until(`pod ${name} is gone`, isGone, { limitMs });
  }

  /** Returns when the pod fits. */
  async untilPod(
    name: string,
    what: string,
    fits: (pod: Pod) => boolean,
    limitMs = usualMs,
  ): Promise<Pod> {
    const tell = async (): Promise<string> => await this.tellPod(name);
    const look = async (): Promise<Pod | null> => {
      const pod = await this.pod(name);
      return pod !== null && fits(pod) ? pod : null;
    };
    return await until(`pod ${name} ${what}`, look, { limitMs, tell });
  }

  async untilPhase(name: string, phase: string, limitMs = usualMs): Promise<Pod> {
    return await this.untilPod(name, `is ${phase}`, (pod) => pod.status.phase === phase, limitMs);
  }

  /** Creates a pod and returns when it runs. */
  async runPod(wish: PodWish, limitMs = usualMs): Promise<Pod> {
    await this.createPod(wish);
    return await this.untilPhase(wish.podName, 'Running', limitMs);
  }

  async tellPod(name: string): Promise<string> {
    const { stdout } = await this.cluster.api.kubectl(['describe', 'pod', name]);
    const groups = await this.cluster.api.kubectl(['get', 'ig,ptn', '-o', 'wide']);
    return `${stdout.split('\n').slice(-30).join('\n')}\n${groups.stdout}`;
  }

  /** What a container has printed; empty while it has not been started. */
  async logs(pod: string, container = 'main', previous = false): Promise<string> {
    const query = `container=${container}${previous ? '&previous=true' : ''}`;
    const { status, body } = await this.ask({
      method: 'GET',
      path: `${podsPath}/${pod}/log?${query}`,
    });
    return status === 200 ? String(body) : '';
  }

  /** What a container says that it sees; waits until it has said all. */
  async shown(pod: string, container = 'main'): Promise<readonly string[]> {
    const look = async (): Promise<readonly string[] | null> => {
      const lines = (await this.logs(pod, container)).split('\n');
      return lines.includes('SHOWN') ? lines : null;
    };
    return await until(`${pod} shows what it sees`, look);
  }

  async node(name = this.home): Promise<Node> {
    const node = await this.get<Node>(`/api/v1/nodes/${name}`);
    assert(node !== null, `no node ${name}`);
    return node;
  }

  /** How many of a resource the node says can be allocated. */
  async allocatable(resource: string, node = this.home): Promise<number> {
    return Number((await this.node(node)).status.allocatable?.[resource] ?? 0);
  }

  async untilAllocatable(
    resource: string,
    count: number,
    options: { node?: string; limitMs?: number } = {},
  ): Promise<void> {
    const { node = this.home, limitMs = usualMs } = options;
    const look = async (): Promise<true | null> =>
      (await this.allocatable(resource, node)) === count ? true : null;
    const tell = async (): Promise<string> =>
      `${await this.allocatable(resource, node)}\n${(await this.cluster.api.kubectl(['get', 'ig,ptn,ptp', '-o', 'wide'])).stdout}`;
    await until(`${node} has ${count} ${resource} to allocate`, look, { limitMs, tell });
  }

  async group(leader: string, node = this.home): Promise<GroupObject | null> {
    return await this.get<GroupObject>(groupPath(node, leader));
  }

  /** Returns when the object of a group fits. */
  async untilGroup(
    leader: string,
    what: string,
    fits: (status: NonNullable<GroupObject['status']>) => boolean,
    { node = this.home, limitMs = usualMs } = {},
  ): Promise<NonNullable<GroupObject['status']>> {
    const look = async (): Promise<NonNullable<GroupObject['status']> | null> => {
      const status = (await this.group(leader, node))?.status;
      return status !== undefined && fits(status) ? status : null;
    };
    const tell = async (): Promise<string> =>
      JSON.stringify((await this.group(leader, node))?.status);
    return await until(`group ${leader} of ${node} ${what}`, look, { limitMs, tell });
  }

  async untilGroupPhase(
    leader: string,
    phase: string,
    options: { node?: string; limitMs?: number } = {},
  ): Promise<void> {
    await this.untilGroup(leader, `is ${phase}`, (status) => status.phase === phase, options);
  }

  /** Makes something happen on the machine that a node simulates; fails when the machine refuses. */
  async simulate<Name extends OperationName>(
    operation: Name,
    given: OperationArguments[Name],
    node = this.home,
  ): Promise<unknown> {
    return await perform(this.cluster.node(node), operation, given);
  }

  /** Writes into a file of the simulated machine, as a person on the node does. */
  async write(path: string, text: string, node = this.home): Promise<void> {
    await writeFile(this.cluster.node(node), path, text);
  }

  /** Where a function stands, by the simulated kernel itself. */
  async binding(address: string, node = this.home): Promise<Binding> {
    return (await this.simulate('binding', { address: address as never }, node)) as Binding;
  }

  /** The drivers of the graphics card and its sound function. */
  async gpuDrivers(gpu: string, node = this.home): Promise<readonly (string | null)[]> {
    return [(await this.binding(gpu, node)).driver, (await this.binding(sound, node)).driver];
  }

  /** Who holds which devices, as the kubelet of the node says. */
  async holders(node = this.home): Promise<readonly DeviceHolder[]> {
    return await holdersOn(this.cluster.node(node));
  }

  /** Events about an object, in the order of the API server. */
  async events(name: string): Promise<readonly EventObject[]> {
    const list = await this.get<{ items: readonly EventObject[] }>('/apis/events.k8s.io/v1/events');
    return (list?.items ?? []).filter((event) => event.regarding?.name === name);
  }

  /** Returns when there is an Event of that reason about an object; its text. */
  async untilEvent(name: string, reason: string): Promise<string> {
    return await until(
      `event ${reason} about ${name}`,
      async () => (await this.events(name)).find((event) => event.reason === reason)?.note ?? null,
      { tell: async () => JSON.stringify(await this.events(name)) },
    );
  }

  /** The pod of a component on a node. */
  async productPod(component: string, node = this.home): Promise<Pod> {
    const selector = `labelSelector=app.kubernetes.io/component=${component}&fieldSelector=spec.nodeName=${node}`;
    const path = `/api/v1/namespaces/${productNamespace}/pods?${selector}`;
    const list = await this.get<{ items: readonly Pod[] }>(path);
    const pod = list?.items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
    assert(pod !== undefined, `${node} has no pod of ${component}`);
    return pod;
  }

  /** Values of a metric of the agent of a node, summed over its series that contain `labels`. */
  async metric(name: string, labels = '', node = this.home): Promise<number> {
    const { metadata } = await this.productPod('agent', node);
    // Through the API server: where pods can be reached from is the cluster's own affair.
    const path = `/api/v1/namespaces/${productNamespace}/pods/${metadata.name}:9643/proxy/metrics`;
    const { status, body } = await this.ask({ method: 'GET', path });
    assert.equal(status, 200, `metrics of ${metadata.name}: ${JSON.stringify(body)}`);
    const text = String(body);
    const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** kubectl as a person calls it; fails when it does. */
  async kubectl(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.cluster.api.kubectl(args);
    assert.equal(status, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}
