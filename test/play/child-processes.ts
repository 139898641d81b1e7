// The child processes of `wa` and `ra`: each makes one call, prints what came of it, and ends.
import type { Settled } from '../../src/kernel/fs.ts';
import type { Machine } from '../../src/kernel/model/machine.ts';
import type { Process } from '../../src/kernel/model/objects/process.ts';
import type { Task } from '../../src/kernel/model/vfs.ts';
import { openFor, readFrom, writeTo } from './files.ts';

/** One child. `reaped`: the program has waited for it, so its pid means nothing any more. */
export interface Child {
  readonly name: string;
  readonly process: Process;
  done: boolean;
  reaped: boolean;
}

/** What the children print to, and how a turn passes. */
interface Surroundings {
  readonly machine: Machine;
  readonly emit: (line: string) => void;
  readonly drain: () => Promise<void>;
}

/** All children of one run. */
export class ChildProcesses {
  readonly #with: Surroundings;
  readonly #children: Child[] = [];

  constructor(surroundings: Surroundings) {
    this.#with = surroundings;
  }

  /** The last child of that name. */
  find(name: string): Child | undefined {
    return this.#children.findLast((child) => child.name === name);
  }

  /** fork, open for writing, write. */
  write(name: string, path: string, data: string): void {
    const head = `   [async ${name}] write ${path}: `;
    this.#fork(name, async (process) => {
      const opened = openFor(this.#with.machine, path, 'write');
      if (!opened.ok) return head + opened.errno;
      const settled = await this.#call(process, (task) => writeTo(opened.node, data, task));
      return head + (settled.kind === 'errno' ? settled.errno : 'OK');
    });
  }

  /** fork, open for reading, read. A failed open shows as EBADF: the program reads from -1 then. */
  read(name: string, path: string): void {
    const head = `   [async ${name}] read ${path}: `;
    this.#fork(name, async (process) => {
      const opened = openFor(this.#with.machine, path, 'read');
      if (!opened.ok) return `${head}EBADF`;
      const settled = await this.#call(process, (task) => readFrom(opened.node, task));
      return head + (settled.kind === 'errno' ? settled.errno : settled.value);
    });
  }

  #fork(name: string, call: (process: Process) => Promise<string>): void {
    const { machine, emit } = this.#with;
    const process = machine.processes.spawn('vt');
    const child: Child = { name, process, done: false, reaped: false };
    this.#children.push(child);
    machine.processes.onExit((ended) => {
      if (ended === process) child.done = true;
    });
    void call(process).then((text) => {
      // A signal that waited takes effect on the way out of the kernel, before the child can print.
      if (process.alive && !process.dying) for (const line of text.split('\n')) emit(line);
      machine.processes.exit(process);
    });
  }

  async #call<T>(process: Process, call: (task: Task) => Promise<Settled<T>>): Promise<Settled<T>> {
    const { machine, drain } = this.#with;
    const task = machine.processes.enter(process);
    const settled = await call(task);
    machine.processes.leave(process, task);
    if (machine.profile.waiterRunsFirst && task.handedOver === true) await drain();
    return settled;
  }
}
