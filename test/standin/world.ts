// A node on virtual time: the stand-in and a door, joined in one process.
import { silentLog } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import { defaultRequestLimits, type RequestLimits } from '../../src/kubelet/requests.ts';
import { InProcessPlugins } from '../../src/standin/in-process.ts';
import { StandinKubelet, type StandinOptions } from '../../src/standin/kubelet.ts';
import type { ContainerSpec, PodSpec, PodView } from '../../src/standin/pod.ts';
import type { TestDoor } from '../kubelet/test-door.ts';

const drain = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

export class World {
  readonly clock = new VirtualClock();
  readonly kubelet: StandinKubelet;
  readonly door: TestDoor;
  readonly #limits: RequestLimits;
  #plugins: InProcessPlugins;

  constructor(
    door: TestDoor,
    options: Partial<StandinOptions> = {},
    limits: Partial<RequestLimits> = {},
  ) {
    this.door = door;
    this.#limits = { ...defaultRequestLimits, ...limits };
    this.kubelet = new StandinKubelet({ clock: this.clock, random: seededRandom(7), ...options });
    this.#plugins = this.#newPlugins();
  }

  /** Kubelet and plugins run, and the node shows its devices. */
  async up(): Promise<void> {
    this.kubelet.start();
    this.#plugins.start();
    await this.run(2500);
  }

  /** Lets `ms` pass. */
  run(ms: number): Promise<void> {
    return advance(this.clock, ms, drain);
  }

  /** The agent dies. */
  killAgent(): void {
    this.#plugins.stop();
  }

  /** Another agent starts. */
  startAgent(): void {
    this.#plugins = this.#newPlugins();
    this.#plugins.start();
  }

  /** Creates a pod of one container. */
  pod(name: string, container: Partial<ContainerSpec>, more: Partial<PodSpec> = {}): string {
    return this.kubelet.createPod({
      namespace: 'ml',
      name,
      containers: [{ name: 'main', devices: {}, ...container }],
      ...more,
    });
  }

  /** `phase/reason/state of the first container`, for short assertions. */
  short(uid: string): string {
    const pod: PodView | undefined = this.kubelet.pod(uid);
    if (pod === undefined) return 'gone';
    const state = pod.containers[0]?.state;
    return [pod.phase, pod.reason, state?.kind ?? ''].join('/');
  }

  /** Pods in PodResources List that hold something. */
  listed(): readonly string[] {
    return (this.kubelet.list() ?? [])
      .filter((pod) => pod.containers.some((container) => container.devices.length > 0))
      .map((pod) => pod.pod);
  }

  /** Calls of the door that start with `what`, so far. */
  calls(what: string): number {
    return this.door.calls.filter((call) => call.startsWith(what)).length;
  }

  #newPlugins(): InProcessPlugins {
    return new InProcessPlugins({
      kubelet: this.kubelet,
      door: this.door,
      clock: this.clock,
      log: silentLog,
      limits: this.#limits,
      registerAfterMs: 50,
      streamlessMs: 10_000,
    });
  }
}
