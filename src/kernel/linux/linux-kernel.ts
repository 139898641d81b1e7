// KernelFs on the machine's own Linux. What cannot block is read in process; everything else goes to a lane,
// so that no thread of the agent, not even one of libuv's pool, is ever stuck in the kernel.
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type {
  CallOptions,
  ChangeHint,
  FolderLink,
  KernelFs,
  Outcome,
  ReadOptions,
  Settled,
} from '../fs.ts';
import { assertCall } from './frames.ts';
import { HintSource } from './hints.ts';
import { LanePool } from './lane-pool.ts';
import { mayBlock } from './may-block.ts';
import { type Answer, type Call, linkIn, perform } from './syscalls.ts';

/** Where the machine's folders are mounted for us. */
export interface LinuxRoots {
  readonly sysfs: string;
  readonly proc: string;
  readonly dev: string;
  readonly run: string;
}

/** What a LinuxKernel is made with. */
export interface LinuxKernelOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Folders that stand for /sys, /proc, /dev and /run; those left out are at their usual place. */
  readonly roots?: Partial<LinuxRoots>;
  /** A pool shared with others, which then close it; none: an own one. */
  readonly lanes?: LanePool;
  /** The file a lane runs: lane-child.ts beside this file, or its bundle. */
  readonly laneEntry?: string;
  /** The program that prints uevents; null: none is started. */
  readonly udevadm?: string | null;
}

const defaultDeadlineMs = 2000;
/** Links that are read in one turn of the event loop: about a millisecond. */
const linksAtOnce = 256;
const standardRoots: LinuxRoots = { sysfs: '/sys', proc: '/proc', dev: '/dev', run: '/run' };

/** The file that a lane runs when the sources run unbuilt. */
export const laneEntryUnbuilt: string = join(import.meta.dirname, 'lane-child.ts');

/** The real kernel. */
export class LinuxKernel implements KernelFs {
  readonly #roots: readonly (readonly [canonical: string, root: string])[];
  readonly #lanes: LanePool;
  readonly #ownLanes: boolean;
  readonly #hints: HintSource;

  constructor(options: LinuxKernelOptions) {
    const { clock, log } = options;
    const roots = { ...standardRoots, ...options.roots };
    this.#roots = [
      ['/sys', roots.sysfs],
      ['/proc', roots.proc],
      ['/dev', roots.dev],
      ['/run', roots.run],
    ].map(([canonical = '', root = '']) => [canonical, root.replace(/\/+$/, '')] as const);
    this.#ownLanes = options.lanes === undefined;
    const program = { execPath: process.execPath, entry: options.laneEntry ?? laneEntryUnbuilt };
    this.#lanes = options.lanes ?? new LanePool({ clock, log, program });
    this.#hints = new HintSource({
      clock,
      log,
      udevadm: options.udevadm === undefined ? 'udevadm' : options.udevadm,
      vfioFolder: this.#real('/dev/vfio'),
    });
  }

  /** Calls still blocked in the kernel whose callers were told "pending". */
  get pendingCount(): number {
    return this.#lanes.pendingCount;
  }

  /** Has a lane come up, so that the first call which may block need not wait for Node to start. */
  warm(): void {
    this.#lanes.warm();
  }

  read(path: string, options: ReadOptions = {}): Promise<Outcome<Uint8Array>> {
    const call: Call = {
      kind: 'read',
      path: this.#real(path),
      firstBytes: options.firstBytes ?? null,
      linesWith: options.linesWith ?? null,
      shortIsEnd: path.startsWith('/sys/'),
    };
    return this.#make(call, path, options) as Promise<Outcome<Uint8Array>>;
  }

  list(path: string, options: CallOptions = {}): Promise<Outcome<readonly string[]>> {
    const call: Call = { kind: 'list', path: this.#real(path) };
    return this.#make(call, path, options) as Promise<Outcome<readonly string[]>>;
  }

  readLink(path: string, options: CallOptions = {}): Promise<Outcome<string>> {
    const call: Call = { kind: 'readLink', path: this.#real(path) };
    return this.#make(call, path, options) as Promise<Outcome<string>>;
  }

  async readLinks(
    path: string,
    options: CallOptions = {},
  ): Promise<Outcome<readonly FolderLink[]>> {
    const real = this.#real(path);
    if (mayBlock('readLinks', path)) {
      const call: Call = { kind: 'readLinks', path: real };
      return this.#make(call, path, options) as Promise<Outcome<readonly FolderLink[]>>;
    }
    const names = perform({ kind: 'list', path: real }) as Settled<readonly string[]>;
    if (names.kind === 'errno') return names;
    const links: FolderLink[] = [];
    for (const name of names.value) {
      // A process may have a hundred thousand descriptors: the loop turns in between.
      if (links.length > 0 && links.length % linksAtOnce === 0) await nextTurn();
      links.push(linkIn(real, name));
    }
    return { kind: 'value', value: links };
  }

  /** Asserts that there is something to write: a zero-length write never reaches sysfs. */
  write(path: string, data: string, options: CallOptions = {}): Promise<Outcome<number>> {
    const call: Call = { kind: 'write', path: this.#real(path), data };
    assertCall(call);
    return this.#make(call, path, options) as Promise<Outcome<number>>;
  }

  exists(path: string, options: CallOptions = {}): Promise<Outcome<boolean>> {
    const call: Call = { kind: 'exists', path: this.#real(path) };
    return this.#make(call, path, options) as Promise<Outcome<boolean>>;
  }

  changes(listener: (hint: ChangeHint) => void): { close(): void } {
    return this.#hints.subscribe(listener);
  }

  /** Ends the lanes (blocked ones when their call returns) and the sources of hints. Nothing is waited for. */
  close(): void {
    this.#hints.close();
    if (this.#ownLanes) this.#lanes.close();
  }

  #make(call: Call, path: string, options: CallOptions): Promise<Outcome<Answer>> {
    if (mayBlock(call.kind, path)) {
      return this.#lanes.call(call, options.deadlineMs ?? defaultDeadlineMs);
    }
    return Promise.resolve(perform(call));
  }

  /** A canonical path as this machine has it. */
  #real(path: string): string {
    assert(!/\/\.\.?(?:\/|$)/.test(path), `${path} is not canonical`);
    for (const [canonical, root] of this.#roots) {
      if (
        path.startsWith(canonical) &&
        (path.length === canonical.length || path[canonical.length] === '/')
      ) {
        return root + path.slice(canonical.length);
      }
    }
    assert(false, `${path} is not below /sys, /proc, /dev or /run`);
  }
}
