// A node inside a guest: the real kernel's devices, a kubelet stand-in on its sockets, containers that use VFIO, and
// the agent as a process. What a scene does to it, it does through here.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../../../src/base/random.ts';
import { loadDevicePluginWire, loadPodResourcesWire } from '../../../../src/kubelet/wire/load.ts';
import type { PciAddress } from '../../../../src/pci/address.ts';
import { recordFileName } from '../../../../src/record/format.ts';
import { realClock } from '../../../../src/observe/real-clock.ts';
import { GrpcKubelet } from '../../../../src/standin/grpc-kubelet.ts';
import { StandinKubelet } from '../../../../src/standin/kubelet.ts';
import type { PodView } from '../../../../src/standin/pod.ts';
import { VfioContainers } from './containers.ts';
import { type FlowGroup, policiesText } from './groups.ts';
import { type AgentPlaces, GuestAgent } from './places.ts';
import { bindingsText, driverOf, endpointsOf } from './sysfs.ts';
import { check, until } from './waiting.ts';

const root = '/run/flow';
const protos = '/opt/wholegroup/protos';
const places: AgentPlaces = {
  policies: `${root}/policies.yaml`,
  stateDir: `${root}/state`,
  kubeletDir: `${root}/kubelet`,
  cdiDir: `${root}/cdi`,
  port: 8090,
  kubeletReadySeconds: 3,
};

/** What survives a reboot of a node: records, and what its kubelet and its API server know. */
export interface KeptOverReboot {
  readonly records: Readonly<Record<string, string>>;
  readonly checkpoint: string | null;
}

/** The node. */
export class FlowMachine {
  readonly containers: VfioContainers;
  readonly kubelet: StandinKubelet;
  readonly agent: GuestAgent;
  readonly #sockets: GrpcKubelet;

  private constructor(parts: {
    readonly containers: VfioContainers;
    readonly kubelet: StandinKubelet;
    readonly sockets: GrpcKubelet;
    readonly agent: GuestAgent;
  }) {
    this.containers = parts.containers;
    this.kubelet = parts.kubelet;
    this.#sockets = parts.sockets;
    this.agent = parts.agent;
  }

  /** Starts the kubelet, without an agent. `kept`: what an earlier boot has left. */
  static async open(kept: KeptOverReboot | null): Promise<FlowMachine> {
    for (const folder of ['kubelet', 'cdi', 'state']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    writeFileSync(places.policies, policiesText());
    for (const [name, text] of Object.entries(kept?.records ?? {})) {
      writeFileSync(join(places.stateDir, name), text);
    }
    const clock = realClock();
    const containers = new VfioContainers(places.cdiDir);
    const kubelet = new StandinKubelet({
      clock,
      random: seededRandom(1),
      runtime: containers,
      syncMs: 1000,
      nodeStatusMs: 300,
      checkpoint: kept?.checkpoint ?? null,
    });
    const sockets = new GrpcKubelet({
      ...{ kubelet, clock },
      wire: {
        devicePlugin: loadDevicePluginWire(protos),
        podResources: loadPodResourcesWire(protos),
      },
      pluginFolder: join(places.kubeletDir, 'device-plugins'),
      podResourcesFolder: join(places.kubeletDir, 'pod-resources'),
    });
    await sockets.start();
    return new FlowMachine({ containers, kubelet, sockets, agent: new GuestAgent(places) });
  }

  /** The agent as it ships, with policies that say how devices are given out; null: they do not. */
  async shipWithAccess(access: string | null): Promise<void> {
    writeFileSync(places.policies, policiesText(access));
    await this.agent.start('shipped');
  }

  /** Creates a pod that wants `group`; its UID. */
  createPod(group: FlowGroup): string {
    return this.kubelet.createPod({
      namespace: 'flow',
      name: group.name,
      containers: [{ name: 'main', devices: { [group.resource]: 1 } }],
      graceMs: 0,
    });
  }

  /** Resolves when the pod runs: its program has opened the group, mapped memory and read every device. */
  async running(uid: string): Promise<void> {
    await until(`the pod runs; it is ${this.#said(uid)}`, () => {
      const pod = this.#pod(uid);
      check(pod?.phase !== 'Failed', `the pod failed: ${pod?.message}`);
      return pod?.phase === 'Running';
    }).catch((thrown: unknown) => {
      throw new Error(`${String(thrown)}; pod: ${this.#said(uid)}`, { cause: thrown });
    });
  }

  /** Resolves with the message of a pod that was refused at admission. */
  async refused(uid: string): Promise<string> {
    await until('the pod is refused', () => {
      const pod = this.#pod(uid);
      check(pod?.phase !== 'Running', 'the pod runs');
      return pod?.phase === 'Failed';
    });
    return this.#pod(uid)?.message ?? '';
  }

  /** Deletes a pod and resolves when the API server has forgotten it. */
  async deletePod(uid: string): Promise<void> {
    this.kubelet.deletePod(uid, { graceMs: 0 });
    await until('the pod is gone', () => this.#pod(uid) === undefined);
  }

  /** R3: every endpoint of the group is on VFIO. */
  checkTaken(group: FlowGroup): void {
    for (const address of endpointsOf(group.leader)) {
      const driver = driverOf(address);
      check(driver === 'vfio-pci', `${address} is bound to ${driver} while its pod runs`);
    }
  }

  /** Resolves when the host has the group back as it was: `before` is what bindingsText said then. */
  async returned(group: FlowGroup, before: string): Promise<void> {
    await until(`${group.name} is returned`, async () => {
      const view = await this.agent.view(group.leader);
      return view?.phase === 'WithHost' && recordsOf(group.leader).length === 0;
    }).catch(async (thrown: unknown) => {
      const view = await this.agent.view(group.leader);
      throw new Error(`${String(thrown)}: ${view?.phase}, ${view?.why}`, { cause: thrown });
    });
    const now = bindingsText(group.leader);
    check(now === before, `not restored. Before:\n${before}\nNow:\n${now}`);
  }

  /** What a reboot would leave of this node. */
  kept(): KeptOverReboot {
    const names = readdirSync(places.stateDir).filter((name) => name.endsWith('.json'));
    const records = Object.fromEntries(
      names.map((name) => [name, readFileSync(join(places.stateDir, name), 'utf8')]),
    );
    return { records, checkpoint: this.kubelet.checkpoint };
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.agent.end('SIGKILL');
    await this.#sockets.stop();
  }

  #pod(uid: string): PodView | undefined {
    return this.kubelet.pod(uid);
  }

  #said(uid: string): string {
    const pod = this.#pod(uid);
    return JSON.stringify(pod?.containers[0]?.state ?? null) + (pod?.message ?? '');
  }
}

/** Record files of a group in the agent's own folder. */
function recordsOf(leader: string): readonly string[] {
  const name = recordFileName(leader as PciAddress);
  return readdirSync(places.stateDir).filter((each) => each === name);
}
