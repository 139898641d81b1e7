// A machine of its own, made of namespaces: a root file system, control groups, an address on the run's bridge. Programs
// are started in it, stopped one by one, and looked at from outside; what it has mounted and started ends with it.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlainProcess } from '../../api/support/plain-process.ts';
import type { Run } from '../../support/run.ts';
import { hierarchies, makeNodeGroups } from './cgroups.ts';
import { enclosingRun, onlyChild } from './enclosure.ts';
import { FilesOfMachine } from './files-of-machine.ts';
import { addressOf, hubAddress, podsOf } from './node-files.ts';
import { run, succeed } from './run.ts';

/** What a machine is made of. */
export interface HostSpec {
  readonly name: string;
  /** 1 and up: the last part of its address. */
  readonly index: number;
  /** Folder that its root shows, for reading; this machine's own unless said. What it changes stays in memory. */
  readonly root?: string;
  /** Folders of this machine that it has too, at the same place, for reading. */
  readonly readable: readonly string[];
  /** Those with programs, in front of the PATH. */
  readonly programs: readonly string[];
  /** Folder for its logs. */
  readonly logs: string;
}

/** A program to start. */
export interface HostProgram {
  readonly name: string;
  readonly command: readonly string[];
}

const readyWithinMs = 90_000;

/** A machine. */
export class Host extends FilesOfMachine implements AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly #spec: HostSpec;
  readonly #namespaces: PlainProcess;
  readonly #groups: readonly string[];
  readonly #running = new Map<string, PlainProcess>();
  #init = 0;

  constructor(spec: HostSpec) {
    super();
    this.name = spec.name;
    this.address = addressOf(spec.index);
    this.#spec = spec;
    mkdirSync(spec.logs, { recursive: true });
    this.#groups = makeNodeGroups(enclosingRun(), this.name);
    this.#namespaces = new PlainProcess({
      program: 'bash',
      args: this.#inGroups([
        ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--net', '--uts', '--ipc'],
        ...['--pid', '--cgroup', '--fork', '--kill-child', '--propagation', 'private', 'env'],
        `HIERARCHIES=${hierarchies()
          .map(({ name, options }) => `${name} ${options}`)
          .join('\n')}`,
        `ROOT=${spec.root ?? '/'}`,
        ...['bash', join(import.meta.dirname, 'node.sh'), this.name, ...spec.readable],
      ]),
      logFile: this.#log('node'),
    });
  }

  #log(name: string): string {
    return join(this.#spec.logs, `${name}.log`);
  }

  /** Arguments of bash for a command that is to run in the control groups of the machine. */
  #inGroups(command: readonly string[]): string[] {
    const enter = this.#groups.map((file) => `echo $$ >${file}`).join('; ');
    return ['-c', `${enter}; exec "$@"`, 'bash', ...command];
  }

  #entering(command: readonly string[]): string[] {
    const { root, programs } = this.#spec;
    const usual = root === undefined ? process.env['PATH'] : '/usr/sbin:/usr/bin';
    return [
      ...['nsenter', '--target', String(this.#init), '--mount', '--uts', '--ipc', '--net', '--pid'],
      ...['--cgroup', '--', 'env', `PATH=${[...programs, usual].join(':')}`],
      // What this process has may not be there.
      ...(root === undefined ? [] : ['TMPDIR=/tmp', 'HOME=/root']),
      ...command,
    ];
  }

  /** Returns when the namespaces are there and connected. */
  async prepare(): Promise<void> {
    const says = async (): Promise<boolean> =>
      await Promise.resolve(readFileSync(this.#log('node'), 'utf8').includes('ready\n'));
    await this.#namespaces.until(says, `machine ${this.name}`, readyWithinMs);
    this.#init = onlyChild(this.#namespaces.pid) ?? 0;
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

  override get init(): number {
    return this.#init;
  }

  /** Runs a command on the machine, as one who has logged in there. */
  async run(
    command: readonly string[],
    options: { readonly input?: string | Buffer; readonly limitMs?: number } = {},
  ): Promise<Run> {
    return await run('bash', this.#inGroups(this.#entering(command)), options);
  }

  /** Starts a program; its output is added to its log. */
  start({ name, command }: HostProgram): void {
    const args = this.#inGroups(this.#entering(command));
    this.#running.set(name, new PlainProcess({ program: 'bash', args, logFile: this.#log(name) }));
  }

  /** The pid of a running program, as this process sees it. */
  pid(name: string): number | null {
    const entered = this.#running.get(name);
    return entered?.running === true ? onlyChild(entered.pid) : null;
  }

  /** Sends a signal to a running program. */
  signal(name: string, signal: NodeJS.Signals): void {
    const pid = this.pid(name);
    if (pid !== null) process.kill(pid, signal);
  }

  /** Ends a program and returns when it has ended. */
  async stop(name: string, signal: NodeJS.Signals): Promise<void> {
    this.signal(name, signal);
    await this.#running.get(name)?.ended();
    this.#running.delete(name);
  }

  /** Returns when `isReady` says so; throws what the program said when it ends or takes too long. */
  async until(name: string, isReady: () => Promise<boolean>): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} of ${this.name} has not been started`);
    await running.until(isReady, `${name} of ${this.name}`, readyWithinMs);
  }

  /** What a program has said so far. */
  logOf(name: string): string {
    return readFileSync(this.#log(name), 'utf8');
  }

  /** Everything on the machine ends at once, as in a power cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#init !== 0) process.kill(this.#init, 'SIGKILL');
    await this.#namespaces.stop('SIGKILL');
    await Promise.all([...this.#running.values()].map(async (each) => await each.stop('SIGKILL')));
  }
}
