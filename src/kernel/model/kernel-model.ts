// KernelModel: a simulated Linux behind KernelFs. Calls through KernelFs are those of one privileged process;
// everything else that happens to the machine goes through `control`, and checkers ask `truth.ts`.
import type { Clock } from '../../base/clock.ts';
import { withDeadline } from '../../base/clock.ts';
import { seededRandom, type Random } from '../../base/random.ts';
import type { PciAddress } from '../../pci/address.ts';
import { readLinksOneByOne } from '../folder-links.ts';
import type { CallOptions, ChangeHint, FolderLink, KernelFs, Outcome, Settled } from '../fs.ts';
import { boot } from './boot.ts';
import { ModelControl, neverAnswers } from './control.ts';
import type { FaultKind } from './faults.ts';
import { Machine } from './machine.ts';
import type { JournalEntry } from './objects/journal.ts';
import type { Process } from './objects/process.ts';
import { errno, value } from './operations/answers.ts';
import { rebootedSpec } from './reboot.ts';
import type { MachineSpec } from './spec.ts';
import { settleSurroundings } from './surroundings/settle.ts';
import { addSurroundings } from './surroundings/surroundings.ts';
import { mountSysfs } from './sysfs/root.ts';
import { resolve } from './tree.ts';
import {
  bindingOf,
  openUses,
  ownershipOf,
  type BindingTruth,
  type OpenUse,
  type Ownership,
} from './truth.ts';
import { ueventFilter } from './uevent-faults.ts';
import type { Attempt, Task, VNode } from './vfs.ts';

const defaultDeadlineMs = 2000;
const pageBytes = 4096;
const hintQueueMax = 4096;
const encoder = new TextEncoder();

/** What a model is made from. */
export interface KernelModelSetup {
  readonly spec: MachineSpec;
  readonly clock: Clock;
  /** Chance for faults; default: a fixed seed. */
  readonly random?: Random;
}

/** How a machine comes back from a reboot. */
export interface Reboot {
  readonly bootId: string;
  /** Groups get other numbers than before. */
  readonly renumber?: boolean;
}

/** The simulated kernel. */
export class KernelModel implements KernelFs {
  #machine: Machine;
  #caller: Process;
  /** Users, administrator and hardware of the machine. */
  readonly control: ModelControl;

  constructor(setup: KernelModelSetup) {
    const machine = new Machine({ random: seededRandom(1), ...setup });
    machine.uevents.setFilter(ueventFilter(machine.faults));
    this.#machine = machine;
    this.#caller = bringUp(machine, false);
    this.control = new ModelControl(() => this.#machine);
  }

  /** The running machine: for surroundings, tests and checkers. Another one after a reboot. */
  get machine(): Machine {
    return this.#machine;
  }

  async read(path: string, options?: CallOptions): Promise<Outcome<Uint8Array>> {
    const found = this.#find(path, 'read-errno');
    if (found.kind === 'errno') return found;
    const { value: node } = found;
    if (node.kind === 'dir') return errno('EISDIR');
    if (node.kind !== 'file' || node.read === undefined) return errno('EACCES');
    const read = node.read.bind(node);
    const outcome = await this.#call(options, (task) =>
      this.#hanging('read-hang', path, () => read(task)),
    );
    if (outcome.kind === 'pending') {
      return {
        kind: 'pending',
        settles: outcome.settles.then((settled) => mapSettled(settled, bytesOf)),
      };
    }
    return mapSettled(outcome, bytesOf);
  }

  async list(path: string): Promise<Outcome<readonly string[]>> {
    const found = this.#find(path, 'list-errno');
    if (found.kind === 'errno') return found;
    if (found.value.kind !== 'dir') return errno('ENOTDIR');
    return this.#machine.crashed === null ? value(found.value.list()) : this.#down();
  }

  async readLink(path: string): Promise<Outcome<string>> {
    const found = this.#find(path, 'read-errno', false);
    if (found.kind === 'errno') return found;
    if (found.value.kind !== 'link') return errno('EINVAL');
    return this.#machine.crashed === null ? value(found.value.target) : this.#down();
  }

  async readLinks(path: string, options?: CallOptions): Promise<Outcome<readonly FolderLink[]>> {
    // A fault may strike each link by itself.
    if (!this.#machine.faults.none) return readLinksOneByOne(this, path, options);
    const found = this.#find(path, 'list-errno');
    if (found.kind === 'errno') return found;
    const folder = found.value;
    if (folder.kind !== 'dir') return errno('ENOTDIR');
    if (this.#machine.crashed !== null) return this.#down();
    return value(folder.list().map((name) => ({ name, link: linkText(folder.child(name)) })));
  }

  async write(path: string, data: string, options?: CallOptions): Promise<Outcome<number>> {
    const found = this.#find(path, 'write-errno');
    const { journal, faults, clock } = this.#machine;
    const entry = journal.begin({
      startMs: clock.monotonicMs(),
      pid: this.#caller.pid,
      path,
      data,
    });
    const settle = (settled: Settled<number>): Settled<number> => {
      entry.endMs = clock.monotonicMs();
      entry.settled = settled;
      return settled;
    };
    if (found.kind === 'errno') return settle(found);
    const readOnly = faults.always('read-only');
    if (readOnly !== null) return settle(errno(readOnly.errno));
    if (found.value.kind === 'dir') return settle(errno('EISDIR'));
    const node = found.value;
    if (node.kind !== 'file' || node.write === undefined) return settle(errno('EACCES'));
    const write = node.write.bind(node);
    // One write(2) hands sysfs no more than a page.
    const page = data.slice(0, pageBytes);
    const outcome = await this.#call(options, (task) =>
      this.#hanging('write-hang', path, () => write(page, task)),
    );
    if (outcome.kind !== 'pending') return settle(outcome);
    return { kind: 'pending', settles: outcome.settles.then(settle) };
  }

  async exists(path: string): Promise<Outcome<boolean>> {
    const found = this.#find(path, 'read-errno');
    if (found.kind === 'value') return this.#machine.crashed === null ? value(true) : this.#down();
    return found.errno === 'ENOENT' || found.errno === 'ENOTDIR' ? value(false) : found;
  }

  changes(listener: (hint: ChangeHint) => void): { close(): void } {
    let woken = false;
    const drain = (): void => {
      woken = false;
      if (queue.overflowed()) listener({ source: 'overflow', subject: null });
      for (const { devpath } of queue.take()) listener({ source: 'uevent', subject: devpath });
    };
    const queue = this.#machine.uevents.subscribe(hintQueueMax, () => {
      if (woken) return;
      woken = true;
      void Promise.resolve().then(drain);
    });
    return queue;
  }

  /** Who has the DMA of a group; null: no such group. */
  ownershipOf(groupNumber: number): Ownership | null {
    return ownershipOf(this.#machine, groupNumber);
  }

  /** Where a function stands; null: no such function. */
  bindingOf(address: PciAddress): BindingTruth | null {
    return bindingOf(this.#machine, address);
  }

  /** Every VFIO file that any process has open. */
  openUses(): readonly OpenUse[] {
    return openUses(this.#machine);
  }

  /** Every write since the journal was last cleared, oldest first. */
  journal(): readonly JournalEntry[] {
    return this.#machine.journal.entries();
  }

  /** Forgets the writes that are over. */
  clearJournal(): void {
    this.#machine.journal.clear();
  }

  /**
   * Power cycle: all processes and their files are gone, overrides and VFs too, functions have their native
   * drivers. Calls that slept never come back.
   */
  reboot(how: Reboot): void {
    const before = this.#machine;
    const spec = rebootedSpec(before, how);
    this.#machine = new Machine({ spec, clock: before.clock, random: before.random, kept: before });
    this.#caller = bringUp(this.#machine, true);
  }

  #down(): Outcome<never> {
    return { kind: 'pending', settles: neverAnswers() };
  }

  #find(
    path: string,
    fault: 'read-errno' | 'list-errno' | 'write-errno',
    follow = true,
  ): Settled<VNode> {
    const { faults, surface } = this.#machine;
    if (!faults.none) {
      const struck = faults.onPath(fault satisfies FaultKind, path);
      if (struck !== null) return errno(struck.fault.errno);
    }
    const found = resolve(surface.root, path, follow);
    return found.ok ? value(found.node) : errno(found.errno);
  }

  #hanging<T>(kind: 'read-hang' | 'write-hang', path: string, call: () => Attempt<T>): Attempt<T> {
    const { faults } = this.#machine;
    const hang = faults.none ? null : faults.onPath(kind, path);
    return hang === null ? call() : hang.cleared.then(call);
  }

  /** Makes a call as the privileged process, and waits for it no longer than the deadline. */
  async #call<T>(
    options: CallOptions | undefined,
    call: (task: Task) => Attempt<T>,
  ): Promise<Outcome<T>> {
    const machine = this.#machine;
    if (machine.crashed !== null) return this.#down();
    const caller = this.#caller;
    const task = machine.processes.enter(caller);
    const attempt = call(task);
    if (!(attempt instanceof Promise)) {
      machine.processes.leave(caller, task);
      return attempt;
    }
    const work = attempt.then((settled) => {
      machine.processes.leave(caller, task);
      return machine.crashed === null ? settled : neverAnswers<T>();
    });
    const waited = await withDeadline(
      machine.clock,
      options?.deadlineMs ?? defaultDeadlineMs,
      work,
    );
    return waited.kind === 'settled' ? waited.value : { kind: 'pending', settles: waited.settles };
  }
}

/** Boots a machine and starts the process that KernelFs calls belong to. */
function bringUp(machine: Machine, natives: boolean): Process {
  mountSysfs(machine);
  addSurroundings(machine);
  boot(machine, natives);
  settleSurroundings(machine);
  return machine.processes.spawn('wholegroup');
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? encoder.encode(content) : content;
}

function mapSettled<A, B>(settled: Settled<A>, map: (of: A) => B): Settled<B> {
  return settled.kind === 'value' ? value(map(settled.value)) : settled;
}

/** What readlink says of a node of a folder that was listed. */
function linkText(node: VNode | null): Settled<string> {
  if (node === null) return errno('ENOENT');
  return node.kind === 'link' ? value(node.target) : errno('EINVAL');
}
