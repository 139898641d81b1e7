// Plays a script on a KernelModel as the recording program did on a real kernel, and prints the same lines.
// Time is the virtual clock: what sleeps costs nothing.
import type { Settled } from '../../src/kernel/fs.ts';
import { kernfsOrder } from '../../src/kernel/model/name-hash.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import { OpenFile } from '../../src/kernel/model/objects/open-file.ts';
import type { Process } from '../../src/kernel/model/objects/process.ts';
import type { UeventQueue } from '../../src/kernel/model/objects/uevents.ts';
import { refused, returned } from '../../src/kernel/model/operations/returned.ts';
import type { MachineSpec } from '../../src/kernel/model/spec.ts';
import { linkTo, resolve } from '../../src/kernel/model/tree.ts';
import type { Task, VNode } from '../../src/kernel/model/vfs.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import { errnoLine, resultLine, ueventLine, valueLine } from './format.ts';
import { hotPlugged } from './machine.ts';
import type { Command } from './script.ts';
import { unescape } from './script.ts';
import { Shell } from './shell.ts';

/** What became of a child process of `wa` or `ra`. */
interface Child {
  readonly process: Process;
  done: boolean;
  reaped: boolean;
}

/** A file that could be opened, and what to do with it; or why not. */
type Opened =
  | { readonly ok: true; readonly node: VNode }
  | { readonly ok: false; readonly errno: string };

const ueventQueueMax = 1_000_000;
/** The program's own descriptors: standard ones, and the uevent socket. */
const ownDescriptors = 4;
const readBytes = 4095;
/** A command of the main process that sleeps longer than this is a dead end: the program would sleep for ever. */
const stuckMs = 3_600_000;

const drain = (): Promise<void> =>
  new Promise((go) => {
    setImmediate(go);
  });

/** One run of one script. */
export class Player {
  readonly #clock = new VirtualClock();
  readonly #model: KernelModel;
  readonly #main: Process;
  readonly #events: UeventQueue;
  readonly #shell: Shell;
  readonly #emit: (line: string) => void;
  /** Names of open files, the last of a name wins; closed ones are forgotten. */
  readonly #files: { name: string; fd: number }[] = [];
  readonly #children: { name: string; child: Child }[] = [];
  readonly #hotPlugged = new Map<string, PciAddress>();

  constructor(spec: MachineSpec, emit: (line: string) => void) {
    this.#model = new KernelModel({ spec, clock: this.#clock });
    this.#emit = emit;
    const { machine } = this.#model;
    this.#main = machine.processes.spawn('vt');
    for (let fd = 0; fd < ownDescriptors; fd++) {
      this.#main.install(new OpenFile({ kind: 'other' }, '/dev/console', null));
    }
    this.#events = machine.uevents.subscribe(ueventQueueMax);
    this.#shell = new Shell({
      read: (path) => this.#plainRead(path),
      readLink: (path) => this.#plainLink(path),
      list: (path) => this.#names(path),
      link: (path, target) =>
        machine.surface.put(
          path,
          linkTo('/tmp', target, () => this.#node(target)),
        ),
    });
  }

  /** Plays all commands; false when one would have slept for ever. */
  async play(commands: readonly Command[]): Promise<boolean> {
    this.#emit('@@START');
    for (const command of commands) {
      this.#emit(`> ${command.text}`);
      if (!(await this.#command(command))) {
        this.#emit(`@@STUCK line ${command.line}`);
        return false;
      }
      if (this.#model.machine.crashed !== null) {
        this.#emit('Segmentation fault');
        break;
      }
    }
    this.#emit('@@DONE');
    return true;
  }

  /** True when the command came back. */
  async #command(command: Command): Promise<boolean> {
    const { word, args, rest } = command;
    const [first = '', second = ''] = args;
    switch (word) {
      case 'w':
        return this.#write(first, unescape(rest));
      case 'r':
        return this.#read(first);
      case 'wa':
        return this.#inChild(first, (process) => this.#childWrite(process, args, unescape(rest)));
      case 'ra':
        return this.#inChild(first, (process) => this.#childRead(process, args));
      case 'wait':
        return this.#wait(first, Number(second));
      case 'sleep':
        return this.#pass(Number(first));
      case 'ue':
      case 'ueq':
        return this.#uevents(word === 'ueq');
      case 'sig':
        return this.#signal(first, Number(second));
      case 'host':
        return this.#host(rest);
      case 'close':
        return this.#close(first);
      default:
        this.#atOnce(word, args, rest);
        await drain();
        return true;
    }
  }

  /** Commands that never sleep. */
  #atOnce(word: string, args: readonly string[], rest: string): void {
    const [first = '', second = ''] = args;
    const { control } = this.#model;
    const { pid } = this.#main;
    const file = (name: string): number => this.#file(name);
    switch (word) {
      case 'rl':
        this.#emit(this.#linkLine(first));
        return;
      case 'ls':
        this.#emit(this.#listLine(first));
        return;
      case 'stat':
        this.#emit(this.#statLine(first));
        return;
      case 'open':
        this.#named(first, 'open', control.openFile(pid, second));
        return;
      case 'status':
        this.#status(first);
        return;
      case 'setcont':
        this.#emit(
          resultLine('SET_CONTAINER', control.setContainer(pid, file(first), file(second))),
        );
        return;
      case 'unset':
        this.#emit(resultLine('UNSET_CONTAINER', control.unsetContainer(pid, file(first))));
        return;
      case 'setiommu':
        this.#emit(resultLine('SET_IOMMU', control.setIommu(pid, file(first), Number(second))));
        return;
      case 'getdev':
        this.#named(first, 'GET_DEVICE_FD', control.getDeviceFd(pid, file(second), rest));
        return;
      case 'bindiommufd':
        this.#emit(resultLine('BIND_IOMMUFD', control.bindIommufd(pid, file(first), file(second))));
        return;
      case 'reset':
      case 'devreset':
        this.#emit(resultLine('DEVICE_RESET', control.deviceReset(pid, file(first))));
        return;
      default:
        for (const line of this.#shell.run(rest) ?? []) this.#emit(line);
    }
  }

  #file(name: string): number {
    return this.#files.findLast((entry) => entry.name === name)?.fd ?? -1;
  }

  #named(name: string, call: string, result: ReturnType<typeof returned>): void {
    this.#emit(resultLine(call, result));
    if (result.ok) this.#files.push({ name, fd: result.value });
  }

  async #close(name: string): Promise<boolean> {
    const at = this.#files.findLastIndex((entry) => entry.name === name);
    if (at >= 0) {
      this.#model.control.closeFile(this.#main.pid, this.#files[at]?.fd ?? -1);
      this.#files.splice(at, 1);
    }
    await this.#pass(this.#model.machine.profile.closeMs);
    this.#emit('   -> closed');
    return true;
  }

  #status(name: string): void {
    const status = this.#model.control.groupStatus(this.#main.pid, this.#file(name));
    if (typeof status === 'string') {
      this.#emit(errnoLine('GET_STATUS', status));
      return;
    }
    const viable = status.viable ? ' VIABLE' : ' !viable';
    this.#emit(`   = flags${viable}${status.containerSet ? ' CONTAINER_SET' : ''}`);
  }

  #linkLine(path: string): string {
    const found = resolve(this.#model.machine.surface.root, path, false);
    if (!found.ok) return errnoLine('readlink', found.errno);
    if (found.node.kind !== 'link') return errnoLine('readlink', 'EINVAL');
    return `   = ->${found.node.target.replace(/^.*\//, '')}`;
  }

  #listLine(path: string): string {
    const found = resolve(this.#model.machine.surface.root, path);
    if (!found.ok) return errnoLine('opendir', found.errno);
    if (found.node.kind !== 'dir') return errnoLine('opendir', 'ENOTDIR');
    const names = path.startsWith('/sys') ? kernfsOrder(found.node.list()) : found.node.list();
    return `   =${names.map((name) => ` ${name}`).join('')}`;
  }

  #statLine(path: string): string {
    const found = resolve(this.#model.machine.surface.root, path);
    if (!found.ok) return errnoLine('stat', found.errno);
    const mode =
      found.node.kind === 'file' || found.node.kind === 'device' ? found.node.mode : 0o755;
    return `   = mode ${mode.toString(8)}`;
  }

  /** open(2) for one direction. */
  #open(path: string, writing: boolean): Opened {
    const found = resolve(this.#model.machine.surface.root, path);
    if (!found.ok) return { ok: false, errno: found.errno };
    const { node } = found;
    if (node.kind === 'dir' && writing) return { ok: false, errno: 'EISDIR' };
    if (node.kind === 'file' && (writing ? node.write : node.read) === undefined) {
      return { ok: false, errno: 'EACCES' };
    }
    return { ok: true, node };
  }

  async #writeTo(node: VNode, data: string, task: Task): Promise<Settled<number>> {
    if (node.kind === 'file' && node.write !== undefined) return node.write(data, task);
    return { kind: 'errno', errno: node.kind === 'dir' ? 'EISDIR' : 'EINVAL' };
  }

  async #readFrom(node: VNode, task: Task): Promise<Settled<string>> {
    if (node.kind === 'dir') return { kind: 'errno', errno: 'EISDIR' };
    if (node.kind !== 'file' || node.read === undefined) return { kind: 'errno', errno: 'EINVAL' };
    const settled = await node.read(task);
    if (settled.kind === 'errno') return settled;
    const text =
      typeof settled.value === 'string'
        ? settled.value
        : new TextDecoder('latin1').decode(settled.value);
    // The program prints it as a C string.
    return { kind: 'value', value: text.slice(0, readBytes).split('\0')[0] ?? '' };
  }

  async #write(path: string, data: string): Promise<boolean> {
    const opened = this.#open(path, true);
    if (!opened.ok) {
      this.#emit(errnoLine('open', opened.errno));
      return true;
    }
    const settled = await this.#asMain((task) => this.#writeTo(opened.node, data, task));
    if (settled === null) return false;
    const result = settled.kind === 'value' ? returned(settled.value) : refused(settled.errno);
    this.#emit(resultLine('write', result));
    return true;
  }

  async #read(path: string): Promise<boolean> {
    const opened = this.#open(path, false);
    if (!opened.ok) {
      this.#emit(errnoLine('open', opened.errno));
      return true;
    }
    const settled = await this.#asMain((task) => this.#readFrom(opened.node, task));
    if (settled === null) return false;
    this.#emit(
      settled.kind === 'value' ? valueLine(settled.value) : errnoLine('read', settled.errno),
    );
    return true;
  }

  /** Runs a call of the main process to its end in virtual time; null when it never comes back. */
  async #asMain<T>(call: (task: Task) => Promise<Settled<T>>): Promise<Settled<T> | null> {
    const { processes } = this.#model.machine;
    const task = processes.enter(this.#main);
    let settled: Settled<T> | null = null;
    void call(task).then((outcome) => {
      settled = outcome;
    });
    await drain();
    const limit = this.#clock.monotonicMs() + stuckMs;
    while (settled === null && this.#model.machine.crashed === null && this.#clock.fireNext(limit))
      await drain();
    processes.leave(this.#main, task);
    if (this.#model.machine.crashed !== null) return settled ?? { kind: 'errno', errno: 'EIO' };
    return settled;
  }

  /** fork: the child makes one call, prints, and ends. */
  async #inChild(name: string, call: (process: Process) => Promise<string>): Promise<boolean> {
    const { processes } = this.#model.machine;
    const process = processes.spawn('vt');
    const child: Child = { process, done: false, reaped: false };
    this.#children.push({ name, child });
    void call(process).then((line) => {
      // A signal that waited takes effect on the way out of the kernel, before the child can print.
      if (process.alive && !process.dying) {
        for (const part of line.split('\n')) this.#emit(part);
      }
      child.done = true;
      processes.exit(process);
    });
    processes.onExit((ended) => {
      if (ended === process) child.done = true;
    });
    return this.#pass(300);
  }

  async #childWrite(process: Process, args: readonly string[], data: string): Promise<string> {
    const [name = '', path = ''] = args;
    const opened = this.#open(path, true);
    const settled = opened.ok
      ? await this.#asChild(process, (task) => this.#writeTo(opened.node, data, task))
      : ({ kind: 'errno', errno: opened.errno } as const);
    return `   [async ${name}] write ${path}: ${settled.kind === 'errno' ? settled.errno : 'OK'}`;
  }

  async #childRead(process: Process, args: readonly string[]): Promise<string> {
    const [name = '', path = ''] = args;
    const opened = this.#open(path, false);
    const settled = opened.ok
      ? await this.#asChild(process, (task) => this.#readFrom(opened.node, task))
      : ({ kind: 'errno', errno: 'EBADF' } as const);
    return `   [async ${name}] read ${path}: ${settled.kind === 'errno' ? settled.errno : settled.value}`;
  }

  async #asChild<T>(
    process: Process,
    call: (task: Task) => Promise<Settled<T>>,
  ): Promise<Settled<T>> {
    const { processes } = this.#model.machine;
    const task = processes.enter(process);
    const settled = await call(task);
    processes.leave(process, task);
    if (this.#model.machine.profile.waiterRunsFirst && task.handedOver === true) await drain();
    return settled;
  }

  async #wait(name: string, limitMs: number): Promise<boolean> {
    const child = this.#children.findLast((entry) => entry.name === name)?.child;
    if (child === undefined) return true;
    let passed = 0;
    // waitpid on a child that was waited for already fails, which the program takes for done.
    while (!child.reaped && !child.done && passed < limitMs) {
      await this.#pass(50);
      passed += 50;
    }
    if (child.done) child.reaped = true;
    this.#emit(
      child.reaped
        ? `   -> done after ~${passed}ms`
        : `   -> STILL BLOCKED state=${child.process.state}`,
    );
    return true;
  }

  async #signal(name: string, signal: number): Promise<boolean> {
    const child = this.#children.findLast((entry) => entry.name === name)?.child;
    if (child !== undefined) {
      const failure = child.reaped
        ? 'ESRCH'
        : child.done
          ? null
          : this.#model.control.kill(child.process.pid, signal);
      this.#emit(resultLine('kill', failure === null ? returned(0) : refused(failure)));
    }
    return this.#pass(300);
  }

  async #uevents(quiet: boolean): Promise<boolean> {
    await this.#pass(150);
    for (const event of this.#events.take()) {
      const line = quiet ? null : ueventLine(event);
      if (line !== null) this.#emit(line);
    }
    return true;
  }

  /** What the monitor is told; it refuses silently, as the recording shows only the kernel's side. */
  async #host(command: string): Promise<boolean> {
    this.#emit(`@@HOST ${command}`);
    const [verb, argument = ''] = command.split(' ');
    const [model = '', ...pairs] = argument.split(',');
    const options = new Map(pairs.map((pair) => pair.split('=') as [string, string]));
    if (verb === 'device_add') {
      const spec = hotPlugged(model, {
        bus: options.get('bus') ?? '',
        addr: options.get('addr') ?? '0',
      });
      if (spec !== null) {
        this.#hotPlugged.set(options.get('id') ?? '', spec.address);
        void this.#model.control.hotAdd(spec);
      }
    } else if (verb === 'device_del') {
      const address = this.#hotPlugged.get(argument);
      if (address !== undefined) void this.#model.control.hotRemove(address);
    }
    return this.#pass(2500);
  }

  async #pass(ms: number): Promise<boolean> {
    await advance(this.#clock, ms, drain);
    return true;
  }

  #node(path: string): VNode | null {
    const found = resolve(this.#model.machine.surface.root, path);
    return found.ok ? found.node : null;
  }

  #names(path: string): readonly string[] | null {
    const node = this.#node(path);
    return node?.kind === 'dir' ? node.list() : null;
  }

  #plainLink(path: string): string | null {
    const found = resolve(this.#model.machine.surface.root, path, false);
    return found.ok && found.node.kind === 'link' ? found.node.target : null;
  }

  #plainRead(path: string): string | null {
    const node = this.#node(path);
    if (node?.kind !== 'file' || node.read === undefined) return null;
    const settled = node.read({ pid: this.#main.pid, state: 'R', onSignal: null });
    if (settled instanceof Promise || settled.kind !== 'value') return null;
    return typeof settled.value === 'string' ? settled.value : null;
  }
}
