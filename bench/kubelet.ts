// The kubelet's side of a bench: registration as the stand-in does it, a list of holders that the bench keeps by
// itself, and a plain client on the plugin's socket, so that nothing stands between a call and its measurement.
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { seededRandom } from '../src/base/random.ts';
import type { ContainerAllocateResponse__Output } from '../src/kubelet/gen/v1beta1/ContainerAllocateResponse.ts';
import type { DevicePluginClient } from '../src/kubelet/gen/v1beta1/DevicePlugin.ts';
import type { ListAndWatchResponse__Output } from '../src/kubelet/gen/v1beta1/ListAndWatchResponse.ts';
import { loadDevicePluginWire, loadPodResourcesWire } from '../src/kubelet/wire/load.ts';
import { ownConnection, unixAddress } from '../src/kubelet/wire/socket.ts';
import { realClock } from '../src/observe/real-clock.ts';
import { GrpcKubelet } from '../src/standin/grpc-kubelet.ts';
import { StandinKubelet } from '../src/standin/kubelet.ts';
import type { PodDevices } from '../src/standin/process.ts';
import type { Dial, RegisterAnswer, Registration } from '../src/standin/registry.ts';
import { root } from './children.ts';

const protos = join(root, 'protos');

class ListedKubelet extends StandinKubelet {
  readonly held = new Map<string, string>();
  /** Accepted registrations: socket name and when, in performance.now() of this process. */
  readonly registrations: {
    readonly resource: string;
    readonly endpoint: string;
    readonly atMs: number;
  }[] = [];

  override list(): readonly PodDevices[] {
    return [...this.held].map(([id, resource]) => ({
      namespace: 'bench',
      pod: `pod-${id.replaceAll(/[:.]/g, '-')}`,
      containers: [{ name: 'main', devices: [{ resource, ids: [id], numaNode: -1 }] }],
    }));
  }

  override async register(request: Registration, dial: Dial): Promise<RegisterAnswer> {
    const answer = await super.register(request, dial);
    const { resource, endpoint } = request;
    if (answer.kind === 'accepted')
      this.registrations.push({ resource, endpoint, atMs: performance.now() });
    return answer;
  }
}

/** A kubelet's folder, served. */
export class BenchKubelet implements AsyncDisposable {
  readonly folder: string;
  readonly #kubelet: ListedKubelet;
  readonly #served: GrpcKubelet;
  readonly #wire = loadDevicePluginWire(protos);
  readonly #clients: DevicePluginClient[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    const clock = realClock();
    this.#kubelet = new ListedKubelet({ clock, random: seededRandom(1) });
    this.#served = new GrpcKubelet({
      clock,
      kubelet: this.#kubelet,
      wire: { devicePlugin: this.#wire, podResources: loadPodResourcesWire(protos) },
      pluginFolder: join(folder, 'device-plugins'),
      podResourcesFolder: join(folder, 'pod-resources'),
    });
  }

  /** Serves below `folder`. */
  static async start(folder: string): Promise<BenchKubelet> {
    const kubelet = new BenchKubelet(folder);
    await kubelet.#served.start();
    return kubelet;
  }

  /** When `resource` was last accepted (performance.now() here); null: not yet. */
  registeredAtMs(resource: string): number | null {
    return this.#registration(resource)?.atMs ?? null;
  }

  #registration(resource: string): ListedKubelet['registrations'][number] | undefined {
    return this.#kubelet.registrations.findLast((each) => each.resource === resource);
  }

  /** From now on the lists name a pod that holds `id`, or none. */
  hold(resource: string, id: string, held: boolean): void {
    if (held) this.#kubelet.held.set(id, resource);
    else this.#kubelet.held.delete(id);
  }

  /** A client on the socket of a registered resource. */
  plugin(resource: string): Plugin {
    const registration = this.#registration(resource);
    if (registration === undefined) throw new Error(`${resource} is not registered`);
    const address = unixAddress(join(this.folder, 'device-plugins', registration.endpoint));
    const client = new this.#wire.DevicePlugin(
      address,
      credentials.createInsecure(),
      ownConnection,
    );
    this.#clients.push(client);
    return new Plugin(client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#served.stop();
  }
}

/** A device plugin as its kubelet calls it. */
export class Plugin {
  readonly #client: DevicePluginClient;
  /** IDs of the last list that are healthy. */
  healthy: ReadonlySet<string> = new Set();
  /** Called after every list. */
  onList: () => void = () => undefined;

  constructor(client: DevicePluginClient) {
    this.#client = client;
  }

  /** Begins to listen to the plugin's list; resolves with the first one. */
  listen(): Promise<void> {
    const stream = this.#client.ListAndWatch({});
    // Ends with the client or the plugin; whoever still waits for a list says so.
    stream.on('error', () => undefined);
    return new Promise((resolve) => {
      stream.on('data', ({ devices }: ListAndWatchResponse__Output) => {
        this.healthy = new Set(
          devices.filter(({ health }) => health === 'Healthy').map(({ ID }) => ID),
        );
        resolve();
        this.onList();
      });
    });
  }

  /** Allocate of one device. Rejects with the plugin's refusal. */
  allocate(id: string): Promise<ContainerAllocateResponse__Output | undefined> {
    return new Promise((resolve, reject) => {
      this.#client.Allocate({ container_requests: [{ devices_ids: [id] }] }, (problem, answer) => {
        if (problem === null) resolve(answer?.container_responses[0]);
        else reject(problem);
      });
    });
  }

  /** PreStartContainer of one device. Rejects with the plugin's refusal. */
  preStart(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.PreStartContainer({ devices_ids: [id] }, (problem) => {
        if (problem === null) resolve();
        else reject(problem);
      });
    });
  }
}
