// One node of a cluster: a machine of its own with a containerd and a kubelet, which a test can stop and start one by
// one, and look into from outside.
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Run } from '../../support/run.ts';
import type { AnyNode } from './any-cluster.ts';
import { FilesOfMachine } from './files-of-machine.ts';
import { Host } from './host.ts';
import { containerdToml, kubeletConfiguration, networkPlugins } from './node-files.ts';

/** Folders with the programs of a node. */
export interface NodePrograms {
  readonly kubernetes: string;
  readonly containerd: string;
  readonly runc: string;
  readonly cni: string;
}

/** What a node is made of. */
export interface NodeSpec {
  readonly index: number;
  readonly programs: NodePrograms;
  /** Folder for its logs. */
  readonly logs: string;
  /** The CA of the API server, and a kubeconfig for the kubelet: files. */
  readonly caFile: string;
  readonly kubeconfig: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Fields of the kubelet's configuration that are not as usual. */
  readonly kubelet: Readonly<Record<string, unknown>>;
}

/** The programs that run on a node besides its pods. */
export type NodeProgram = 'containerd' | 'kubelet';

/** A node. */
export class ClusterNode extends FilesOfMachine implements AnyNode, AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly #spec: NodeSpec;
  readonly #host: Host;

  constructor(spec: NodeSpec) {
    super();
    this.#spec = spec;
    const { kubernetes, containerd, runc, cni } = spec.programs;
    this.#host = new Host({
      name: `n${spec.index}`,
      index: spec.index,
      readable: [kubernetes, containerd, runc, cni, dirname(spec.caFile)],
      programs: [kubernetes, containerd],
      logs: spec.logs,
    });
    this.name = this.#host.name;
    this.address = this.#host.address;
  }

  /** Returns when the machine is there and has its files. */
  async prepare(): Promise<void> {
    await this.#host.prepare();
    const { index, programs, caFile, kubelet } = this.#spec;
    const { cni, runc } = programs;
    const place = { name: this.name, index, cni, runc: join(runc, 'runc') };
    this.write('/etc/containerd.toml', containerdToml(place));
    this.write('/etc/cni/net.d/10-pods.conflist', networkPlugins(place));
    this.write('/etc/kubelet.json', kubeletConfiguration(caFile, kubelet));
    for (const folder of ['/etc/cdi', '/run/cdi', '/etc/kubernetes/manifests'])
      mkdirSync(this.path(folder), { recursive: true });
  }

  override get init(): number {
    return this.#host.init;
  }

  /** Runs a command on the node, as one who has logged in there. */
  async run(command: readonly string[], input?: string | Buffer): Promise<Run> {
    return await this.#host.run(command, input === undefined ? {} : { input });
  }

  /** Starts a program; its output is added to its log. */
  start(program: NodeProgram): void {
    const command =
      program === 'containerd' ? ['containerd', '-c', '/etc/containerd.toml'] : this.#kubelet();
    this.#host.start({ name: program, command });
  }

  #kubelet(): string[] {
    const { kubeconfig, labels } = this.#spec;
    const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    return [
      ...['kubelet', '--config=/etc/kubelet.json', `--kubeconfig=${kubeconfig}`, '-v=2'],
      ...[`--hostname-override=${this.name}`, `--node-ip=${this.address}`],
      `--node-labels=${pairs.join(',')}`,
    ];
  }

  /** The pid of a running program, as this process sees it. */
  pid(program: NodeProgram): number | null {
    return this.#host.pid(program);
  }

  /** Sends a signal to a running program. */
  signal(program: NodeProgram, signal: NodeJS.Signals): void {
    this.#host.signal(program, signal);
  }

  /** Ends a program and returns when it has ended; its pods and containers go on. */
  async stop(program: NodeProgram, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#host.stop(program, signal);
  }

  /** Returns when `isReady` says so; throws what the program said when it ends or takes too long. */
  async until(program: NodeProgram, isReady: () => Promise<boolean>): Promise<void> {
    await this.#host.until(program, isReady);
  }

  /** Returns when containerd answers. */
  async containerdReady(): Promise<void> {
    const answers = async (): Promise<boolean> => (await this.run(['ctr', 'version'])).status === 0;
    await this.until('containerd', answers);
  }

  /** Gives the node an image from an archive. */
  async importImage(archive: string): Promise<void> {
    const command = ['ctr', '--namespace', 'k8s.io', 'images', 'import', '-'];
    const { status, stderr } = await this.run(command, readFileSync(archive));
    if (status !== 0) throw new Error(`${archive}: containerd of ${this.name} says ${stderr}`);
  }

  /** What a program has said so far. */
  logOf(program: NodeProgram): string {
    return this.#host.logOf(program);
  }

  /** Everything on the node ends at once, as in a power cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }
}
