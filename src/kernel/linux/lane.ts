// One lane seen from the agent: the child process, its channel, and the calls that it has been given and has
// not answered. It decides nothing; lane-pool.ts does.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { assert } from '../../base/assert.ts';
import type { Settled } from '../fs.ts';
import { encodeBatch, FrameReader, machineMs } from './frames.ts';
import type { Answer, Call } from './syscalls.ts';

/** A call somebody waits for. The pool makes and settles it. */
export interface LaneCall {
  readonly call: Call;
  readonly settle: (settled: Settled<Answer>) => void;
}

/** What a lane tells its pool. */
export interface LaneEvents {
  /** It is up, or has answered a call: it may be idle now. */
  readonly progressed: (lane: Lane) => void;
  /** It gives back calls that it has not begun. */
  readonly declined: (calls: readonly LaneCall[]) => void;
  /** The process is gone. `unanswered`: what it had been given, oldest (perhaps begun) first. */
  readonly ended: (lane: Lane, unanswered: readonly LaneCall[], why: string) => void;
}

/** How to start a lane. */
export interface LaneProgram {
  /** The program; process.execPath unless a test says otherwise. */
  readonly execPath: string;
  /** The file it runs: lane-child.ts, or its bundle. */
  readonly entry: string;
}

/**
 * detached: its own session, so that a signal to the agent's process group or terminal does not reach it (a signal
 * turns vfio's wait in unbind from interruptible into uninterruptible: vfio_unregister_group_dev). Node opens
 * everything close-on-exec, and the lane closes what the agent itself inherited: a vfio fd would make an unbind wait
 * for itself. An empty environment: nobody's NODE_OPTIONS. cwd "/": no mount is pinned by a process that may never end.
 */
function start(program: LaneProgram): ChildProcess | null {
  try {
    return spawn(program.execPath, [program.entry], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
      cwd: '/',
      env: {},
    });
  } catch {
    return null; // EAGAIN, ENOMEM: told as a lane that ended before it was up
  }
}

/** One disposable child process. Its channel is its life: closing it is the only way it is ever ended. */
export class Lane {
  readonly #events: LaneEvents;
  /** Null when there was no room for another process or its channel. */
  readonly #child: ChildProcess | null;
  /** Given and unanswered, oldest first; null: taken back by the pool, its answer is dropped. */
  #given: (LaneCall | null)[] = [];
  #up = false;
  #gone = false;
  /** Set by the pool: a caller has given up on the oldest call, or the channel is closed; no new call is given. */
  abandoned = false;
  /** Monotonic milliseconds of the last sign of life, kept by the pool. */
  lastSignMs: number;

  constructor(program: LaneProgram, nowMs: number, events: LaneEvents) {
    this.#events = events;
    this.lastSignMs = nowMs;
    this.#child = start(program);
    if (this.#child?.stdin && this.#child.stdout) {
      this.#wire(this.#child, this.#child.stdin, this.#child.stdout);
    } else {
      // Not before the caller has given it something to do, and so hears of it.
      setImmediate(() => this.#end('could not be started'));
    }
  }

  #wire(child: ChildProcess, requests: Writable, answers: Readable): void {
    const reader = new FrameReader();
    const declined: (LaneCall | null)[] = [];
    answers.on('data', (chunk: Uint8Array) => {
      for (const message of reader.messages(chunk)) {
        if (message.kind === 'hello') this.#up = true;
        else if (message.kind === 'answer') this.#given.shift()?.settle(message.settled);
        else declined.push(this.#given.shift() ?? null);
      }
      const back = declined.splice(0).filter((call) => call !== null);
      if (back.length > 0) this.#events.declined(back);
      if (this.#given.length === 0) this.#hold(false);
      this.#events.progressed(this);
    });
    // EPIPE when the child died: its end is told by `close`, once.
    requests.on('error', () => undefined);
    answers.on('error', () => undefined);
    child.once('error', (problem) => this.#end(`could not be started: ${problem.message}`));
    // `close` and not `exit`: the last answers may still be in the pipe when the process is gone.
    child.once('close', (code, signal) =>
      this.#end(signal === null ? `exited with status ${code}` : `killed by ${signal}`),
    );
    child.unref();
    this.#hold(false);
  }

  #end(why: string): void {
    if (this.#gone) return;
    this.#gone = true;
    const unanswered = this.#given;
    this.#given = [];
    // A call taken back is somebody else's now, but the oldest place counts: it tells which one was begun.
    this.#events.ended(
      this,
      unanswered.filter((call) => call !== null),
      why,
    );
  }

  /** A lane with work keeps the agent's event loop alive, an idle one does not. */
  #hold(busy: boolean): void {
    const channel = this.#child?.stdout as { ref?(): void; unref?(): void } | null | undefined;
    if (busy) channel?.ref?.();
    else channel?.unref?.();
  }

  /** Process id; null when it could not be started. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * True while it computes or waits for a processor: it is not blocked in the kernel, however long it has been silent.
   * Our own /proc, whatever stands for the machine's: it is our child. Reading a process's stat does not block.
   */
  get runnable(): boolean {
    try {
      const stat = readFileSync(`/proc/${this.pid}/stat`, 'latin1');
      return stat.slice(stat.lastIndexOf(') ') + 2).startsWith('R');
    } catch {
      return false;
    }
  }

  /** True once the child has said that it runs. */
  get up(): boolean {
    return this.#up;
  }

  /** Calls given and unanswered, those taken back included. */
  get load(): number {
    return this.#given.length;
  }

  /** Calls that wait behind the oldest one and have not been taken back. */
  get waiting(): number {
    return this.#given.slice(1).filter((call) => call !== null).length;
  }

  /** The oldest unanswered call: the only one that can have been begun. Null: none, or it was taken back. */
  get oldest(): LaneCall | null {
    return this.#given[0] ?? null;
  }

  /** Gives it calls to make one after the other. Only one call when it is a write. */
  give(calls: readonly LaneCall[]): void {
    assert(
      this.#given.length === 0 && !this.abandoned && !this.#gone,
      'a lane is given calls while it is idle',
    );
    this.#given = [...calls];
    this.#hold(true);
    this.#child?.stdin?.write(
      encodeBatch({ givenMs: machineMs(), calls: calls.map((each) => each.call) }),
    );
  }

  /**
   * Takes back every call but the oldest. While the oldest blocks they have not been begun, and will not be. When the
   * child is just about to be heard it may make them all the same, so only calls without effect may be taken back.
   */
  takeBack(): readonly LaneCall[] {
    const back = this.#given.slice(1).filter((call) => call !== null);
    this.#given = this.#given.map((call, index) => (index === 0 ? call : null));
    return back;
  }

  /** Closes the channel: the child ends at once, or when the call it is blocked in returns. */
  close(): void {
    this.abandoned = true;
    this.#child?.stdin?.end();
    this.#hold(false);
  }
}
