// A kind cluster as test files find it: described in a file that whoever created it has written. Its nodes are looked at
// and stopped through their namespaces, its API server through the port that docker forwards.
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiAnswer, type ApiCall, send } from '../api/support/api-call.ts';
import { kubeconfig } from '../api/support/server-flags.ts';
import type { KubectlOptions } from '../api/support/api-server.ts';
import {
  type AnyApiServer,
  type AnyCluster,
  type AnyNode,
  nodeNamed,
} from '../cluster/harness/any-cluster.ts';
import { FilesOfMachine } from '../cluster/harness/files-of-machine.ts';
import type { NodeProgram } from '../cluster/harness/node.ts';
import { run, succeed } from '../cluster/harness/run.ts';
import { until } from '../cluster/stage/wait.ts';
import type { Run } from '../support/run.ts';

/** What is in the file. */
export interface KindDescription {
  readonly folder: string;
  readonly url: string;
  readonly caFile: string;
  readonly kubeconfig: string;
  /** The administrator's. */
  readonly token: string;
  /** Folder with the programs of Kubernetes. */
  readonly binaries: string;
  /** The worker first; pids as the enclosure counts them. */
  readonly nodes: readonly { readonly name: string; readonly pid: number }[];
}

/** Variable that names the file. */
export const kindVariable = 'WHOLEGROUP_KIND_CLUSTER';

/** How long a program of the cluster may take to be back. */
const backMs = 120_000;

/** Writes the file; its path. */
export function writeDescription(description: KindDescription): string {
  const file = join(description.folder, 'cluster.json');
  writeFileSync(file, JSON.stringify(description), { mode: 0o600 });
  return file;
}

/** The pid, as this process sees it, of the first process of a container; docker counts from its own machine. */
export function nodePid(pidOfDocker: number): number {
  for (const file of globSync('/proc/[0-9]*/status')) {
    const text = readStatus(file);
    const numbers = /^NSpid:\s+(.*)$/m.exec(text)?.[1]?.split(/\s+/).map(Number) ?? [];
    const [own = 0, docker, first] = numbers;
    if (numbers.length === 3 && docker === pidOfDocker && first === 1) return own;
  }
  throw new Error(`no process is ${pidOfDocker} on the machine of docker`);
}

function readStatus(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Asks again until it is so. */
async function untilSo(what: string, isSo: () => Promise<boolean>): Promise<void> {
  await until(what, async () => ((await isSo()) ? true : null), { limitMs: backMs });
}

/** A node of it: a container with systemd. */
class KindNode extends FilesOfMachine implements AnyNode {
  readonly name: string;
  readonly #pid: number;

  constructor(name: string, pid: number) {
    super();
    this.name = name;
    this.#pid = pid;
  }

  #entering(command: readonly string[]): string[] {
    return [
      ...['--target', String(this.#pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--'],
      ...['env', 'PATH=/usr/local/bin:/usr/sbin:/usr/bin', ...command],
    ];
  }

  override get init(): number {
    return this.#pid;
  }

  async run(command: readonly string[], input?: string | Buffer): Promise<Run> {
    return await run('nsenter', this.#entering(command), input === undefined ? {} : { input });
  }

  start(program: NodeProgram): void {
    execFileSync('nsenter', this.#entering(['systemctl', '--no-block', 'start', program]));
  }

  async stop(program: NodeProgram): Promise<void> {
    // systemd starts what was killed, unless it was told to stop it meanwhile.
    const kill = ['systemctl', 'kill', '--kill-who=main', '--signal=KILL', program];
    const script = `systemctl --no-block stop ${program}; ${kill.join(' ')} || true; systemctl stop ${program}`;
    await succeed('nsenter', this.#entering(['sh', '-c', script]));
  }

  async containerdReady(): Promise<void> {
    await untilSo(
      `containerd of ${this.name} answers`,
      async () => (await this.run(['ctr', 'version'])).status === 0,
    );
  }

  logOf(program: NodeProgram): string {
    return this.read(`/var/log/${program}.log`);
  }
}

const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';

/** Its API server: a static pod of the control plane. */
class KindApiServer implements AnyApiServer {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly kubectlPath: string;
  readonly tokens: { readonly admin: string };
  readonly #description: KindDescription;
  readonly #node: KindNode;

  constructor(description: KindDescription, node: KindNode) {
    this.folder = mkdtempSync(join(description.folder, 'test-'));
    this.kubeconfig = description.kubeconfig;
    this.kubectlPath = join(description.binaries, 'kubectl');
    this.tokens = { admin: description.token };
    this.#description = description;
    this.#node = node;
  }

  async call(call: ApiCall): Promise<ApiAnswer> {
    const { url, caFile } = this.#description;
    return await send(url, caFile, call);
  }

  async kubectl(args: readonly string[], { input = '', token }: KubectlOptions = {}): Promise<Run> {
    const config = token === undefined ? this.kubeconfig : join(this.folder, 'other.conf');
    if (token !== undefined) {
      const { url, caFile } = this.#description;
      writeFileSync(config, kubeconfig(url, caFile, token), { mode: 0o600 });
    }
    const env = { PATH: process.env['PATH'], HOME: this.folder, TZ: 'UTC' };
    return await run(this.kubectlPath, [`--kubeconfig=${config}`, ...args], {
      ...{ input, env, limitMs: 300_000 },
    });
  }

  async #answers(): Promise<boolean> {
    const call = { method: 'GET', path: '/readyz', token: this.tokens.admin } as const;
    return await this.call(call).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async kill(): Promise<void> {
    await succeed('mv', [this.#node.path(manifest), this.#node.path('/kind/kube-apiserver.yaml')]);
    await untilSo('the API server has ended', async () => !(await this.#answers()));
  }

  async restart(): Promise<void> {
    await succeed('mv', [this.#node.path('/kind/kube-apiserver.yaml'), this.#node.path(manifest)]);
    await untilSo('the API server answers', async () => await this.#answers());
  }
}

/** The cluster that the environment names; null when it names none. It outlives whoever uses it here. */
export function describedCluster(env: NodeJS.ProcessEnv): AnyCluster | null {
  const file = env[kindVariable];
  if (file === undefined) return null;
  const description = JSON.parse(readFileSync(file, 'utf8')) as KindDescription;
  const nodes = description.nodes.map(({ name, pid }) => new KindNode(name, pid));
  const controlPlane = nodes.at(-1);
  if (controlPlane === undefined) throw new Error(`${file} names no nodes`);
  return {
    api: new KindApiServer(description, controlPlane),
    nodes,
    node: (name) => nodeNamed(nodes, name),
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  };
}
