// A real kube-apiserver with its etcd for one test file, as plain processes on loopback ports.
//
//   await using server = await startApiServer();              // about 3 s; the end of the block stops and removes all
//   server.url, server.caFile, server.kubeconfig              // where it is; kubeconfig is the administrator's
//   server.tokens.admin                                       // in system:masters
//   await server.tokenFor({ serviceAccount: 'wholegroup-agent', node: 'worker-1' })
//                                  // a token as a pod of that node has it (with the node name claim); makes
//                                  // namespace, service account, Node and Pod where they are missing
//   await server.kubeconfigFor(token)                         // path of a kubeconfig with that token
//   await server.call({ method: 'GET', path: '/api/v1/nodes', token })   // JSON; any status is returned
//   await server.kubectl(['get', 'nodes'], { input, token })  // kubectl itself; status, stdout, stderr
//   await server.apply('deploy/crds')                         // kubectl apply of a file or folder of the repository
//   await server.kill(); await server.restart();              // an outage: same port, same data (etcd stays up)
//   server.signal('SIGSTOP')                                  // half-open: it takes connections and never answers
//   await server.compact()                                    // etcd forgets old revisions: watches get 410
//   await server.plant(objects)                              // objects by their keys in etcd, thousands in a second
//   server.rotateAuthority()                                  // new CA in caFile, in force soon; surely after restart()
//   await using controllers = startControllers(server, ['garbage-collector-controller'])   // see controllers.ts
//   server.audit()                                            // every request it answered (see audit.ts)
//
// Where Kubernetes cannot be built (no go), startApiServer throws; `npm run test:api` finds that out first and says so.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../../cluster/build.ts';
import { type Run, run as runToEnd } from '../../support/run.ts';
import { type ApiAnswer, type ApiCall, send } from './api-call.ts';
import { type AuditEntry, auditPolicy, readAudit } from './audit.ts';
import { writeAuthority, writeTokenKey } from './certificates.ts';
import { freePorts, PlainProcess } from './plain-process.ts';
import { apiFlags, etcdFlags, kubeconfig, type Ports } from './server-flags.ts';
import { tokenRequests, type Workload } from './workload-token.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const adminToken = 'admin-token';
/** etcd refuses a transaction of more. */
const putsAtOnce = 128;

/** How kubectl is run: standard input, and whose token it uses (the administrator's unless said). */
export interface KubectlOptions {
  readonly input?: string;
  readonly token?: string;
}

/** What a test may want otherwise. */
export interface ApiServerOptions {
  /** More flags for kube-apiserver; of a flag that it has already, this one counts. */
  readonly flags?: readonly string[];
  /** The port it listens on; a free one unless said. */
  readonly port?: number;
  /** More users, by lines of a token file: `TOKEN,NAME,ID,"GROUP,GROUP"`. */
  readonly users?: readonly string[];
  /** Called when its folder is written and nothing runs yet; the flags it answers with are added. */
  readonly prepare?: (folder: string) => readonly string[];
}

/** A running API server with its etcd. */
export class ApiServer implements AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly caFile: string;
  /** The administrator's. */
  readonly kubeconfig: string;
  /** Path of kubectl, of the same version as the server. */
  readonly kubectlPath: string;
  readonly tokens = { admin: adminToken } as const;
  /** Folder of the programs of Kubernetes. */
  readonly binaries: string;
  readonly #ports: Ports;
  readonly #flags: readonly string[];
  readonly #etcd: PlainProcess;
  #api: PlainProcess;
  #kubeconfigs = 0;

  constructor(binaries: string, folder: string, ports: Ports, flags: readonly string[]) {
    this.folder = folder;
    this.url = `https://127.0.0.1:${ports.api}`;
    this.caFile = join(folder, 'ca.crt');
    this.kubeconfig = join(folder, 'admin.conf');
    this.kubectlPath = join(binaries, 'kubectl');
    this.binaries = binaries;
    this.#ports = ports;
    this.#flags = flags;
    writeFileSync(this.kubeconfig, kubeconfig(this.url, this.caFile, adminToken));
    this.#etcd = new PlainProcess({
      program: join(binaries, 'etcd'),
      args: etcdFlags(folder, ports),
      logFile: join(folder, 'etcd.log'),
    });
    this.#api = this.#start();
  }

  #start(): PlainProcess {
    return new PlainProcess({
      program: join(this.binaries, 'kube-apiserver'),
      args: [...apiFlags(this.folder, this.#ports), ...this.#flags],
      logFile: join(this.folder, 'kube-apiserver.log'),
    });
  }

  /** Returns when the server answers all it has to before a test can begin. */
  async ready(): Promise<void> {
    for (const path of ['/readyz', '/api/v1/namespaces/default']) {
      const answers = async (): Promise<boolean> =>
        (await this.call({ method: 'GET', path, token: adminToken })).status === 200;
      await this.#api.until(answers, `GET ${path}`);
    }
  }

  async call(call: ApiCall): Promise<ApiAnswer> {
    return await send(this.url, this.caFile, call);
  }

  async kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<Run> {
    const { input = '', token } = options;
    const config = token === undefined ? this.kubeconfig : this.kubeconfigFor(token);
    return await runToEnd(this.kubectlPath, [`--kubeconfig=${config}`, ...args], {
      ...{ cwd: root, input },
      env: { PATH: process.env['PATH'], HOME: this.folder, TZ: 'UTC' },
    });
  }

  /** `kubectl apply` of a file or folder of the repository; throws what kubectl says when it fails. */
  async apply(path: string): Promise<void> {
    const run = await this.kubectl(['apply', '--server-side', '-R', '-f', path]);
    if (run.status !== 0) throw new Error(`kubectl apply -f ${path}: ${run.stderr}`);
  }

  /** The custom resources of wholegroup, ready for objects. */
  async applyDefinitions(): Promise<void> {
    await this.apply('deploy/crds');
    const run = await this.kubectl([
      ...['wait', '--for=condition=Established', '--timeout=30s', 'crd'],
      ...['passthroughpolicies', 'iommugroups', 'passthroughnodes'].map(
        (name) => `${name}.wholegroup.dev`,
      ),
    ]);
    if (run.status !== 0) throw new Error(`custom resources: ${run.stderr}`);
  }

  /** A token as a pod of this workload has it: bound to a pod of `node` when one is given. Valid for an hour. */
  async tokenFor(workload: Workload): Promise<string> {
    const call = async (request: Omit<ApiCall, 'token'>): Promise<ApiAnswer> =>
      await this.call({ ...request, token: adminToken });
    return await tokenRequests(call, workload);
  }

  /** Path of a new kubeconfig with this token, for the server as it is reached here unless said. */
  kubeconfigFor(token: string, url: string = this.url): string {
    const path = join(this.folder, `user-${++this.#kubeconfigs}.conf`);
    writeFileSync(path, kubeconfig(url, this.caFile, token), { mode: 0o600 });
    return path;
  }

  /** The API server dies at once, as in a power cut; etcd and its data stay. */
  async kill(): Promise<void> {
    await this.#api.stop('SIGKILL');
  }

  /** Starts the API server again on the same port with the same data; first ends it when it runs. */
  async restart(): Promise<void> {
    await this.#api.stop('SIGKILL');
    this.#api = this.#start();
    await this.ready();
  }

  signal(name: NodeJS.Signals): void {
    this.#api.signal(name);
  }

  rotateAuthority(): void {
    writeAuthority(this.folder);
  }

  /** etcd forgets everything before its present revision: a watch from an older one gets 410. */
  async compact(): Promise<void> {
    const status = (await this.#askEtcd('maintenance/status', {})) as {
      header: { revision: string };
    };
    await this.#askEtcd('kv/compaction', { revision: status.header.revision, physical: true });
  }

  /**
   * Puts objects where the server keeps them, past everything that it would do with them: for thousands that would take
   * it minutes. Each is whole, with uid and creationTimestamp. Keys are below /registry, for example `minions/worker-1`.
   */
  async plant(objects: ReadonlyMap<string, object>): Promise<void> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const puts = [...objects].map(([key, object]) => ({
      requestPut: { key: base64(`/registry/${key}`), value: base64(JSON.stringify(object)) },
    }));
    for (let at = 0; at < puts.length; at += putsAtOnce)
      await this.#askEtcd('kv/txn', { success: puts.slice(at, at + putsAtOnce) });
  }

  async #askEtcd(path: string, body: object): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports.etcd}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  audit(): readonly AuditEntry[] {
    return readAudit(join(this.folder, 'audit.log'));
  }

  /** Resident memory of the two processes is theirs to tell: their pids. */
  get pids(): { readonly api: number; readonly etcd: number } {
    return { api: this.#api.pid, etcd: this.#etcd.pid };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT');
    await Promise.all([this.#api.stop('SIGKILL'), this.#etcd.stop('SIGKILL')]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function writeFiles(folder: string, { users = [] }: ApiServerOptions): void {
  writeAuthority(folder);
  writeTokenKey(folder);
  const lines = [`${adminToken},admin,admin,"system:masters"`, ...users];
  writeFileSync(join(folder, 'tokens.csv'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'audit-policy.yaml'), JSON.stringify(auditPolicy));
}

/** Starts both, or throws what the one that ended said. */
async function started(binaries: string, options: ApiServerOptions): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-api-'));
  writeFiles(folder, options);
  const [free = 0, etcd = 0, peer = 0] = await freePorts(3);
  const { port: api = free, flags = [], prepare } = options;
  const all = [...flags, ...(prepare?.(folder) ?? [])];
  const server = new ApiServer(binaries, folder, { api, etcd, peer }, all);
  try {
    await server.ready();
    return server;
  } catch (thrown) {
    await server[Symbol.asyncDispose]();
    throw thrown;
  }
}

/** Starts etcd and kube-apiserver and returns when requests are answered. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const binaries = await built('kubernetes', (line) => console.error(line));
  if (binaries.kind === 'missing') throw new Error(binaries.why);
  try {
    return await started(binaries.folder, options);
  } catch (thrown) {
    // Between finding a free port and using it somebody else may take it; other reasons stay.
    if (!/address already in use/.test(String(thrown))) throw thrown;
    return await started(binaries.folder, options);
  }
}
