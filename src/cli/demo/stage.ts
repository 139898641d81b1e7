// Everything that the demo consists of, started and stopped: a served kernel, a kubelet stand-in on real
// sockets, and the agent as a process, which can be killed.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GroupView } from '../../agent/view.ts';
import type { Clock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { exportTopology } from '../../kernel/model/topology-export.ts';
import { connectControl, type RemoteControl } from '../../kernel/remote/remote-control.ts';
import { connectKernel } from '../../kernel/remote/remote-kernel.ts';
import type { PciAddress } from '../../pci/address.ts';
import { loadDevicePluginWire, loadPodResourcesWire } from '../../kubelet/wire/load.ts';
import { GrpcKubelet } from '../../standin/grpc-kubelet.ts';
import { StandinKubelet } from '../../standin/kubelet.ts';
import { protosFolder } from '../places.ts';
import { type DemoPlaces, endProcess, freePort, placesIn, startSelf, until } from './children.ts';
import { demoMachine } from './machine.ts';
import { policyText } from './policies.ts';
import { DemoRuntime } from './runtime.ts';

/** How long the stand-in's lists are not trusted after its start: it has its pods after 1.5 s, a real one takes longer. */
const kubeletReadySeconds = 3;

/** The running demo. */
export class Stage {
  readonly clock: Clock;
  readonly places: DemoPlaces;
  readonly kubelet: StandinKubelet;
  readonly control: RemoteControl;
  readonly #sim: ChildProcess;
  readonly #sockets: GrpcKubelet;
  readonly #port: number;
  #agent: ChildProcess | null = null;

  private constructor(parts: {
    readonly clock: Clock;
    readonly places: DemoPlaces;
    readonly kubelet: StandinKubelet;
    readonly control: RemoteControl;
    readonly sim: ChildProcess;
    readonly sockets: GrpcKubelet;
    readonly port: number;
  }) {
    this.clock = parts.clock;
    this.places = parts.places;
    this.kubelet = parts.kubelet;
    this.control = parts.control;
    this.#sim = parts.sim;
    this.#sockets = parts.sockets;
    this.#port = parts.port;
  }

  /** Starts the kernel and the kubelet; the agent is started by itself. */
  static async open(clock: Clock): Promise<Stage> {
    const places = placesIn(mkdtempSync(join(tmpdir(), 'wholegroup-demo-')));
    for (const folder of [places.kubeletDir, places.cdiDir, places.stateDir]) mkdirSync(folder);
    writeFileSync(places.topology, exportTopology(demoMachine()));
    writeFileSync(places.policies, policyText);
    const sim = startSelf(
      ['sim', '--topology', places.topology, '--listen', places.simSocket],
      places.simLog,
    );
    const control = await until(clock, 'the simulated kernel', () =>
      connectControl(places.simSocket, clock),
    );
    const kubelet = new StandinKubelet({
      clock,
      random: seededRandom(1),
      runtime: new DemoRuntime(control, places.cdiDir),
      syncMs: 1000,
    });
    const sockets = new GrpcKubelet({
      ...{ kubelet, clock },
      wire: {
        devicePlugin: loadDevicePluginWire(protosFolder),
        podResources: loadPodResourcesWire(protosFolder),
      },
      pluginFolder: join(places.kubeletDir, 'device-plugins'),
      podResourcesFolder: join(places.kubeletDir, 'pod-resources'),
    });
    await sockets.start();
    return new Stage({ clock, places, kubelet, control, sim, sockets, port: await freePort() });
  }

  /** Starts the agent; resolves when it is registered with the kubelet. */
  async startAgent(): Promise<void> {
    const { places } = this;
    this.#agent = startSelf(
      [
        ...['agent', '--kernel', `unix://${places.simSocket}`, '--policies', places.policies],
        ...[
          '--state',
          places.stateDir,
          '--kubelet-dir',
          places.kubeletDir,
          '--cdi-dir',
          places.cdiDir,
        ],
        ...['--listen', `127.0.0.1:${this.#port}`, '--node-name', 'demo'],
        ...['--kubelet-ready-seconds', String(kubeletReadySeconds)],
      ],
      places.agentLog,
    );
    await until(this.clock, 'the agent', async () => {
      const ready = await fetch(`http://127.0.0.1:${this.#port}/readyz`);
      return ready.ok ? true : null;
    });
  }

  /** Name of the first namespace of an NVMe controller, as the kernel shows it. */
  async diskOf(controller: PciAddress): Promise<string> {
    const kernel = await connectKernel(this.places.simSocket, this.clock);
    const names = await kernel.list(`/sys/bus/pci/devices/${controller}/nvme`);
    kernel.close();
    return names.kind === 'value' ? `${names.value[0] ?? 'nvme0'}n1` : 'nvme0n1';
  }

  /** True while the agent's process runs. */
  get agentRuns(): boolean {
    return this.#agent !== null && this.#agent.exitCode === null && this.#agent.signalCode === null;
  }

  /** kill -9 of the agent's process. */
  async killAgent(): Promise<void> {
    if (this.#agent !== null) await endProcess(this.#agent, 'SIGKILL');
  }

  /** The agent's groups as it publishes them; null while no agent answers. */
  async groups(): Promise<readonly GroupView[] | null> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#port}/groups`);
      return (await response.json()) as readonly GroupView[];
    } catch {
      return null;
    }
  }

  /** Ends everything and removes the files. */
  async close(): Promise<void> {
    if (this.#agent !== null) await endProcess(this.#agent, 'SIGTERM');
    await this.#sockets.stop();
    this.control.close();
    await endProcess(this.#sim, 'SIGTERM');
    rmSync(this.places.root, { recursive: true, force: true });
  }
}
