// User processes: their open files, the calls they are in, and what signals do to them.
import { assert } from '../../../base/assert.ts';
import type { Errno } from '../../fs.ts';
import type { ProcessSpec } from '../spec.ts';
import type { Task } from '../vfs.ts';
import type { OpenFile } from './open-file.ts';

/** Signals that do nothing by default: CHLD, CONT, URG, WINCH. */
const ignoredSignals: ReadonlySet<number> = new Set([17, 18, 23, 28]);
const signalMax = 64;

/** One process. */
export class Process {
  readonly pid: number;
  readonly comm: string;
  /** Facts for /proc; null for processes that the model made for a call. */
  readonly spec: ProcessSpec | null;
  readonly files = new Map<number, OpenFile>();
  /** Calls that are in the kernel now. */
  readonly tasks = new Set<Task>();
  alive = true;
  /** A fatal signal waits for a call that sleeps uninterruptibly. */
  dying = false;

  constructor(pid: number, comm: string, spec: ProcessSpec | null) {
    this.pid = pid;
    this.comm = comm;
    this.spec = spec;
  }

  /** Installs a file at the lowest free descriptor. */
  install(file: OpenFile): number {
    let fd = 0;
    while (this.files.has(fd)) fd += 1;
    this.files.set(fd, file);
    return fd;
  }

  /** D, S or R: the deepest sleep of its calls; what /proc/PID/stat says. A process in no call sleeps in user space. */
  get state(): 'R' | 'S' | 'D' {
    let state: 'R' | 'S' | 'D' = 'S';
    for (const task of this.tasks) {
      if (task.state === 'D') return 'D';
      if (task.state === 'R') state = 'R';
    }
    return state;
  }
}

/** All processes. */
export class ProcessTable {
  readonly #processes = new Map<number, Process>();
  #nextPid = 1000;
  readonly #onExit: ((process: Process) => void)[] = [];

  /** The processes that live, in order of their start. */
  all(): IterableIterator<Process> {
    return this.#processes.values();
  }

  /** A live process. */
  get(pid: number): Process | undefined {
    return this.#processes.get(pid);
  }

  /** Starts a process; with `spec`, under its own number. */
  spawn(comm: string, spec: ProcessSpec | null = null): Process {
    if (spec === null) while (this.#processes.has(this.#nextPid)) this.#nextPid += 1;
    const process = new Process(spec?.pid ?? this.#nextPid++, comm, spec);
    this.#processes.set(process.pid, process);
    return process;
  }

  /** Calls `listener` whenever a process ends. */
  onExit(listener: (process: Process) => void): void {
    this.#onExit.push(listener);
  }

  /** A call enters the kernel. */
  enter(process: Process): Task {
    const task: Task = { pid: process.pid, state: 'R', onSignal: null };
    process.tasks.add(task);
    return task;
  }

  /** A call is over: a signal that waited for it now takes effect. */
  leave(process: Process, task: Task): void {
    task.state = 'R';
    process.tasks.delete(task);
    if (process.dying && process.tasks.size === 0) this.exit(process);
  }

  /** kill(2). ESRCH: no such process, EINVAL: no such signal. Fatal unless ignored by default. */
  kill(pid: number, signal: number): Errno | null {
    const process = this.#processes.get(pid);
    if (process === undefined) return 'ESRCH';
    if (signal < 0 || signal > signalMax) return 'EINVAL';
    if (signal === 0 || ignoredSignals.has(signal)) return null;
    process.dying = true;
    for (const task of [...process.tasks]) task.onSignal?.(signal);
    if (process.tasks.size === 0) this.exit(process);
    return null;
  }

  /** Ends a process: its files are closed, lowest first. */
  exit(process: Process): void {
    if (!process.alive) return;
    assert(process.tasks.size === 0, 'a process ends outside the kernel');
    process.alive = false;
    this.#processes.delete(process.pid);
    for (const file of [...process.files.values()]) file.put();
    process.files.clear();
    for (const listener of this.#onExit) listener(process);
  }
}
