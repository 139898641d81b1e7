// One node of a cluster: namespaces of its own with a containerd and a kubelet, which a test can stop and start one by
// one, and look into from outside.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PlainProcess } from '../../api/support/plain-process.ts';
import { hierarchies, makeNodeGroups } from './cgroups.ts';
import { enclosingRun, onlyChild } from './enclosure.ts';
import {
  addressOf,
  containerdToml,
  hubAddress,
  kubeletConfiguration,
  networkPlugins,
  podsOf,
} from './node-files.ts';
import type { Run } from '../../support/run.ts';
import { run, succeed } from './run.ts';

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

const readyWithinMs = 90_000;

/** A node. */
export class ClusterNode implements AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly #spec: NodeSpec;
  readonly #namespaces: PlainProcess;
  readonly #groups: readonly string[];
  readonly #running = new Map<NodeProgram, PlainProcess>();
  #init = 0;

  constructor(spec: NodeSpec) {
    this.name = `n${spec.index}`;
    this.address = addressOf(spec.index);
    this.#spec = spec;
    mkdirSync(spec.logs, { recursive: true });
    this.#groups = makeNodeGroups(enclosingRun(), this.name);
    const { kubernetes, containerd, runc, cni } = spec.programs;
    const readable = [kubernetes, containerd, runc, cni, dirname(spec.caFile)];
    this.#namespaces = new PlainProcess({
      program: 'bash',
      args: this.#inGroups([
        ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--net', '--uts', '--ipc'],
        ...['--pid', '--cgroup', '--fork', '--kill-child', '--propagation', 'private', 'env'],
        `HIERARCHIES=${hierarchies()
          .map(({ name, options }) => `${name} ${options}`)
          .join('\n')}`,
        ...['bash', join(import.meta.dirname, 'node.sh'), this.name, ...readable],
      ]),
      logFile: this.#log('node'),
    });
  }

  #log(name: string): string {
    return join(this.#spec.logs, `${name}.log`);
  }

  /** Arguments of bash for a command that is to run in the control groups of the node. */
  #inGroups(command: readonly string[]): string[] {
    const enter = this.#groups.map((file) => `echo $$ >${file}`).join('; ');
    return ['-c', `${enter}; exec "$@"`, 'bash', ...command];
  }

  #entering(command: readonly string[]): string[] {
    const { kubernetes, containerd } = this.#spec.programs;
    return [
      ...['nsenter', '--target', String(this.#init), '--mount', '--uts', '--ipc', '--net', '--pid'],
      ...['--cgroup', '--', 'env', `PATH=${kubernetes}:${containerd}:${process.env['PATH']}`],
      ...command,
    ];
  }

  /** Returns when the namespaces are there, connected, and have their files. */
  async prepare(): Promise<void> {
    const says = async (): Promise<boolean> =>
      await Promise.resolve(readFileSync(this.#log('node'), 'utf8').includes('ready\n'));
    await this.#namespaces.until(says, `node ${this.name}`, readyWithinMs);
    this.#init = onlyChild(this.#namespaces.pid) ?? 0;
    await this.#connect();
    const { index, programs, caFile, kubelet } = this.#spec;
    const { cni, runc } = programs;
    const place = { name: this.name, index, cni, runc: join(runc, 'runc') };
    this.write('/etc/containerd.toml', containerdToml(place));
    this.write('/etc/cni/net.d/10-pods.conflist', networkPlugins(place));
    this.write('/etc/kubelet.json', kubeletConfiguration(caFile, kubelet));
    for (const folder of ['/etc/cdi', '/run/cdi', '/etc/kubernetes/manifests'])
      mkdirSync(this.path(folder), { recursive: true });
  }

  async #connect(): Promise<void> {
    const device = `wg-${this.name}`;
    const script = `ip link add ${device} type veth peer name eth0 netns ${this.#init}
      ip link set ${device} master wg0 up
      ip route replace ${podsOf(this.#spec.index)} via ${this.address} dev wg0 onlink`;
    const inside = `ip addr add ${this.address}/24 dev eth0
      ip link set eth0 up
      ip route add default via ${hubAddress}`;
    const target = ['--target', String(this.#init), '--net'];
    await succeed('bash', ['-ec', script]);
    await succeed('nsenter', [...target, 'bash', '-ec', inside]);
  }

  /** A path of the node as this process reaches it. Unix sockets too. */
  path(inside: string): string {
    return `/proc/${this.#init}/root${inside}`;
  }

  read(inside: string): string {
    return readFileSync(this.path(inside), 'utf8');
  }

  write(inside: string, text: string): void {
    mkdirSync(dirname(this.path(inside)), { recursive: true });
    writeFileSync(this.path(inside), text);
  }

  erase(inside: string): void {
    rmSync(this.path(inside));
  }

  /** Runs a command on the node, as one who has logged in there. */
  async run(command: readonly string[], input?: string | Buffer): Promise<Run> {
    return await run(
      'bash',
      this.#inGroups(this.#entering(command)),
      input === undefined ? {} : { input },
    );
  }

  /** Starts a program; its output is added to its log. */
  start(program: NodeProgram): void {
    const command =
      program === 'containerd' ? ['containerd', '-c', '/etc/containerd.toml'] : this.#kubelet();
    const args = this.#inGroups(this.#entering(command));
    const logFile = this.#log(program);
    this.#running.set(program, new PlainProcess({ program: 'bash', args, logFile }));
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
    const entered = this.#running.get(program);
    return entered?.running === true ? onlyChild(entered.pid) : null;
  }

  /** Sends a signal to a running program. */
  signal(program: NodeProgram, signal: NodeJS.Signals): void {
    const pid = this.pid(program);
    if (pid !== null) process.kill(pid, signal);
  }

  /** Ends a program and returns when it has ended; its pods and containers go on. */
  async stop(program: NodeProgram, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.signal(program, signal);
    await this.#running.get(program)?.ended();
    this.#running.delete(program);
  }

  /** Returns when `isReady` says so; throws what the program said when it ends or takes too long. */
  async until(program: NodeProgram, isReady: () => Promise<boolean>): Promise<void> {
    const running = this.#running.get(program);
    if (running === undefined) throw new Error(`${program} of ${this.name} has not been started`);
    await running.until(isReady, `${program} of ${this.name}`, readyWithinMs);
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
    return readFileSync(this.#log(program), 'utf8');
  }

  /** Everything on the node ends at once, as in a power cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#init !== 0) process.kill(this.#init, 'SIGKILL');
    await this.#namespaces.stop('SIGKILL');
    await Promise.all([...this.#running.values()].map(async (each) => await each.stop('SIGKILL')));
  }
}
