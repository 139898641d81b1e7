// Plays a script on a KernelModel as the recording program did on a real kernel, and prints the same lines.
// Time is the virtual clock: what sleeps costs nothing.
import type { Settled } from '../../src/kernel/fs.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import { OpenFile } from '../../src/kernel/model/objects/open-file.ts';
import type { Process } from '../../src/kernel/model/objects/process.ts';
import type { UeventQueue } from '../../src/kernel/model/objects/uevents.ts';
import { refused, returned, type Returned } from '../../src/kernel/model/operations/returned.ts';
import type { MachineSpec } from '../../src/kernel/model/spec.ts';
import type { Task } from '../../src/kernel/model/vfs.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import { ChildProcesses } from './child-processes.ts';
import { linkLine, listLine, openFor, readFrom, shellMachine, statLine, writeTo } from './files.ts';
import { errnoLine, resultLine, statusLine, ueventLine, valueLine } from './format.ts';
import { Monitor } from './hot-plug.ts';
import { unescape, type Command } from './script.ts';
import { Shell, type ShellEffect } from './shell.ts';

const ueventQueueMax = 1_000_000;
/** The program's own descriptors: standard ones, and the uevent socket. */
const ownDescriptors = 4;
/** A command of the main process that sleeps longer than this is a dead end: the program would sleep for ever. */
const stuckMs = 3_600_000;
/** Pauses of the recording program. Whoever waited for a file runs before its close(2) is back. */
const pausesMs = {
  fork: 300,
  signal: 300,
  poll: 50,
  settle: 150,
  monitor: 2500,
  close: 4,
} as const;

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
  readonly #children: ChildProcesses;
  /** Names of open files, the last of a name wins; closed ones are forgotten. */
  readonly #files: { name: string; fd: number }[] = [];
  readonly #monitor = new Monitor();

  constructor(spec: MachineSpec, emit: (line: string) => void) {
    this.#model = new KernelModel({ spec, clock: this.#clock });
    this.#emit = emit;
    const { machine } = this.#model;
    this.#main = machine.processes.spawn('vt');
    for (let fd = 0; fd < ownDescriptors; fd++) {
      this.#main.install(new OpenFile({ kind: 'other' }, '/dev/console', null));
    }
    this.#events = machine.uevents.subscribe(ueventQueueMax);
    this.#shell = new Shell(shellMachine(machine));
    this.#children = new ChildProcesses({ machine, emit, drain });
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
  async #command({ word, args, rest }: Command): Promise<boolean> {
    const [first = '', second = ''] = args;
    switch (word) {
      case 'w':
        return this.#write(first, unescape(rest));
      case 'r':
        return this.#read(first);
      case 'wa':
        this.#children.write(first, second, unescape(rest));
        return this.#pass(pausesMs.fork);
      case 'ra':
        this.#children.read(first, second);
        return this.#pass(pausesMs.fork);
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
      case 'sh':
        return this.#sh(rest);
      default:
        this.#look(word, first);
        this.#ioctl(word, args, rest);
        await drain();
        return true;
    }
  }

  /** Commands that only look. */
  #look(word: string, path: string): void {
    const { machine } = this.#model;
    if (word === 'rl') this.#emit(linkLine(machine, path));
    else if (word === 'ls') this.#emit(listLine(machine, path));
    else if (word === 'stat') this.#emit(statLine(machine, path));
    else if (word === 'status') {
      const status = this.#model.control.groupStatus(this.#main.pid, this.#file(path));
      this.#emit(statusLine(status));
    }
  }

  /** Commands that open files and use them, and the shell. */
  #ioctl(word: string, args: readonly string[], rest: string): void {
    const [first = '', second = ''] = args;
    const { control } = this.#model;
    const { pid } = this.#main;
    const fd = this.#file(first);
    const other = this.#file(second);
    switch (word) {
      case 'open':
        return this.#named(first, 'open', control.openFile(pid, second));
      case 'getdev':
        return this.#named(first, 'GET_DEVICE_FD', control.getDeviceFd(pid, other, rest));
      case 'setcont':
        return this.#emit(resultLine('SET_CONTAINER', control.setContainer(pid, fd, other)));
      case 'unset':
        return this.#emit(resultLine('UNSET_CONTAINER', control.unsetContainer(pid, fd)));
      case 'setiommu':
        return this.#emit(resultLine('SET_IOMMU', control.setIommu(pid, fd, Number(second))));
      case 'bindiommufd':
        return this.#emit(resultLine('BIND_IOMMUFD', control.bindIommufd(pid, fd, other)));
      case 'reset':
      case 'devreset':
        return this.#emit(resultLine('DEVICE_RESET', control.deviceReset(pid, fd)));
      default:
        return;
    }
  }

  #file(name: string): number {
    return this.#files.findLast((entry) => entry.name === name)?.fd ?? -1;
  }

  #named(name: string, call: string, result: Returned): void {
    this.#emit(resultLine(call, result));
    if (result.ok) this.#files.push({ name, fd: result.value });
  }

  async #close(name: string): Promise<boolean> {
    const at = this.#files.findLastIndex((entry) => entry.name === name);
    if (at >= 0) {
      this.#model.control.closeFile(this.#main.pid, this.#files[at]?.fd ?? -1);
      this.#files.splice(at, 1);
    }
    await this.#pass(pausesMs.close);
    this.#emit('   -> closed');
    return true;
  }

  async #write(path: string, data: string): Promise<boolean> {
    const opened = openFor(this.#model.machine, path, 'write');
    if (!opened.ok) {
      this.#emit(errnoLine('open', opened.errno));
      return true;
    }
    const settled = await this.#asMain((task) => writeTo(opened.node, data, task));
    if (settled === null) return false;
    const result = settled.kind === 'value' ? returned(settled.value) : refused(settled.errno);
    if (this.#model.machine.crashed === null) this.#emit(resultLine('write', result));
    return true;
  }

  async #read(path: string): Promise<boolean> {
    const opened = openFor(this.#model.machine, path, 'read');
    if (!opened.ok) {
      this.#emit(errnoLine('open', opened.errno));
      return true;
    }
    const settled = await this.#asMain((task) => readFrom(opened.node, task));
    if (settled === null) return false;
    const failed = settled.kind === 'errno';
    this.#emit(failed ? errnoLine('read', settled.errno) : valueLine(settled.value));
    return true;
  }

  /** A shell line: its output, then what it does to the machine. */
  async #sh(text: string): Promise<boolean> {
    for (const line of this.#shell.run(text) ?? []) this.#emit(line);
    for (const effect of this.#shell.takeEffects()) {
      const done = await this.#asMain((task) => this.#effect(effect, task));
      if (done === null) return false;
      if (done.kind === 'errno') this.#emit(`sh: ${done.errno}`);
    }
    await drain();
    return true;
  }

  async #effect(effect: ShellEffect, task: Task): Promise<Settled<number>> {
    const { machine, control } = this.#model;
    if (effect.kind === 'write') {
      const opened = openFor(machine, effect.path, 'write');
      if (!opened.ok) return { kind: 'errno', errno: opened.errno };
      return writeTo(opened.node, effect.data, task);
    }
    const known = machine.spec.drivers.find(({ module }) => module === effect.module);
    const name = known?.name ?? effect.module;
    const errno =
      effect.kind === 'load' ? await control.loadModule(name) : await control.unloadModule(name);
    return typeof errno === 'string' ? { kind: 'errno', errno } : { kind: 'value', value: 0 };
  }

  /** Runs a call of the main process to its end in virtual time; null when it never comes back. */
  async #asMain<T>(call: (task: Task) => Promise<Settled<T>>): Promise<Settled<T> | null> {
    const { machine } = this.#model;
    const task = machine.processes.enter(this.#main);
    const answers: Settled<T>[] = [];
    void call(task).then((settled) => answers.push(settled));
    await drain();
    const limit = this.#clock.monotonicMs() + stuckMs;
    while (answers.length === 0 && machine.crashed === null && this.#clock.fireNext(limit)) {
      await drain();
    }
    const [settled = null] = answers;
    machine.processes.leave(this.#main, task);
    return machine.crashed === null ? settled : (settled ?? { kind: 'errno', errno: 'EIO' });
  }

  async #wait(name: string, limitMs: number): Promise<boolean> {
    const child = this.#children.find(name);
    if (child === undefined) return true;
    let passedMs = 0;
    // waitpid on a child that was waited for already fails, which the program takes for done.
    while (!child.reaped && !child.done && passedMs < limitMs) {
      await this.#pass(pausesMs.poll);
      passedMs += pausesMs.poll;
    }
    if (child.done) child.reaped = true;
    const state = `   -> STILL BLOCKED state=${child.process.state}`;
    this.#emit(child.reaped ? `   -> done after ~${passedMs}ms` : state);
    return true;
  }

  async #signal(name: string, signal: number): Promise<boolean> {
    const child = this.#children.find(name);
    if (child !== undefined) {
      const dead = child.reaped ? 'ESRCH' : null;
      const failure = child.done ? dead : this.#model.control.kill(child.process.pid, signal);
      this.#emit(resultLine('kill', failure === null ? returned(0) : refused(failure)));
    }
    return this.#pass(pausesMs.signal);
  }

  async #uevents(quiet: boolean): Promise<boolean> {
    await this.#pass(pausesMs.settle);
    for (const event of this.#events.take()) {
      const line = quiet ? null : ueventLine(event);
      if (line !== null) this.#emit(line);
    }
    return true;
  }

  /** What the monitor is told. What it refuses changes nothing in the guest. */
  async #host(command: string): Promise<boolean> {
    this.#emit(`@@HOST ${command}`);
    const told = this.#monitor.tell(command);
    const { control } = this.#model;
    if (told.kind === 'add') void control.hotAdd(told.spec);
    else if (told.kind === 'remove') void control.hotRemove(told.address);
    return this.#pass(pausesMs.monitor);
  }

  async #pass(forMs: number): Promise<boolean> {
    await advance(this.#clock, forMs, drain);
    // Whoever handed a lock over is heard one turn later.
    await drain();
    await drain();
    return true;
  }
}
