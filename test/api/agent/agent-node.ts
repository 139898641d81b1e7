// A node of a test cluster: a served simulated kernel, a kubelet stand-in on real sockets, and the agent as a process
// with the token of its DaemonSet's pod.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../src/base/random.ts';
import { DemoRuntime } from '../../../src/cli/demo/runtime.ts';
import { connectControl, type RemoteControl } from '../../../src/kernel/remote/remote-control.ts';
import { loadDevicePluginWire, loadPodResourcesWire } from '../../../src/kubelet/wire/load.ts';
import { realClock } from '../../../src/observe/real-clock.ts';
import { GrpcKubelet } from '../../../src/standin/grpc-kubelet.ts';
import { StandinKubelet } from '../../../src/standin/kubelet.ts';
import type { ApiServer } from '../support/api-server.ts';
import { freePorts, PlainProcess } from '../support/plain-process.ts';
import { answer } from '../support/waiting.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const protos = join(root, 'protos');

/** Arguments of Node.js that start the program from its sources. */
export const unbuilt: readonly string[] = [join(root, 'src', 'cli', 'main.ts')];

/** One node. */
export class AgentNode implements AsyncDisposable {
  readonly name: string;
  readonly kubelet: StandinKubelet;
  readonly control: RemoteControl;
  readonly #folder: string;
  readonly #sim: PlainProcess;
  readonly #sockets: GrpcKubelet;
  readonly #kubeconfig: string;
  readonly #port: number;
  readonly #program: readonly string[];
  #agent: PlainProcess | null = null;
  #starts = 0;

  private constructor(parts: {
    name: string;
    folder: string;
    sim: PlainProcess;
    kubelet: StandinKubelet;
    control: RemoteControl;
    sockets: GrpcKubelet;
    kubeconfig: string;
    port: number;
    program: readonly string[];
  }) {
    this.name = parts.name;
    this.kubelet = parts.kubelet;
    this.control = parts.control;
    this.#folder = parts.folder;
    this.#sim = parts.sim;
    this.#sockets = parts.sockets;
    this.#kubeconfig = parts.kubeconfig;
    this.#port = parts.port;
    this.#program = parts.program;
  }

  /** Everything but the agent. `machine`: a bundled topology, or a file with one; `program`: what starts the agent. */
  static async open(
    server: ApiServer,
    name: string,
    ...[machine, program = unbuilt]: [string, (readonly string[])?]
  ): Promise<AgentNode> {
    const folder = mkdtempSync(join(tmpdir(), 'wg-'));
    for (const each of ['kubelet', 'cdi', 'state']) mkdirSync(join(folder, each));
    const socket = join(folder, 'sim.sock');
    const sim = new PlainProcess({
      program: process.execPath,
      args: [...unbuilt, 'sim', '--topology', machine, '--listen', socket],
      logFile: join(folder, 'sim.log'),
    });
    const clock = realClock();
    const control = await answer('the simulated kernel', () => connectControl(socket, clock));
    const kubelet = new StandinKubelet({
      ...{ clock, random: seededRandom(1), syncMs: 500 },
      runtime: new DemoRuntime(control, join(folder, 'cdi')),
    });
    const sockets = new GrpcKubelet({
      ...{ kubelet, clock },
      wire: {
        devicePlugin: loadDevicePluginWire(protos),
        podResources: loadPodResourcesWire(protos),
      },
      pluginFolder: join(folder, 'kubelet', 'device-plugins'),
      podResourcesFolder: join(folder, 'kubelet', 'pod-resources'),
    });
    await sockets.start();
    const token = await server.tokenFor({ serviceAccount: 'wholegroup-agent', node: name });
    const kubeconfig = server.kubeconfigFor(token);
    const [port = 0] = await freePorts(1);
    return new AgentNode({
      ...{ name, folder, sim, kubelet, control, sockets, kubeconfig, port, program },
    });
  }

  /** Starts the agent and waits until it says that it is ready. */
  async startAgent(): Promise<void> {
    const at = (name: string): string => join(this.#folder, name);
    this.#starts += 1;
    this.#agent = new PlainProcess({
      program: process.execPath,
      args: [
        ...[
          ...this.#program,
          'agent',
          '--kernel',
          `unix://${at('sim.sock')}`,
          '--node-name',
          this.name,
        ],
        ...['--state', at('state'), '--cdi-dir', at('cdi'), '--kubelet-dir', at('kubelet')],
        ...['--kubeconfig', this.#kubeconfig, '--kubelet-ready-seconds', '1'],
        ...['--listen', `127.0.0.1:${this.#port}`],
      ],
      logFile: at(`agent-${this.#starts}.log`),
    });
    await answer('the agent', async () =>
      (await fetch(`http://127.0.0.1:${this.#port}/readyz`)).ok ? true : null,
    );
  }

  /** Where its kernel is served. */
  get kernelSocket(): string {
    return join(this.#folder, 'sim.sock');
  }

  /** Process id of the agent. */
  get agentPid(): number {
    return this.#agent?.pid ?? 0;
  }

  /** What the agent that was started last has logged. */
  get log(): string {
    return readFileSync(join(this.#folder, `agent-${this.#starts}.log`), 'utf8');
  }

  /** The agent's metrics as text. */
  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
  }

  async endAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#agent?.stop(signal);
    this.#agent = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endAgent('SIGTERM');
    await this.#sockets.stop();
    this.control.close();
    await this.#sim.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
