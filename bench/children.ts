// Processes that a bench measures or talks to, and what /proc says about them. Each is started from here, and ended
// from here by its own handle.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository. */
export const root = join(import.meta.dirname, '..');

/** A child that is ended with the stack it was put on. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** What it wrote to stderr so far. */
  log(): string;
  /** Rejects when it ends before it was asked to. */
  readonly ended: Promise<never>;
}

/** Starts Node with `args`; stdout and stderr go to `logFile`. */
export function startNode(
  args: readonly string[],
  logFile: string,
  env: NodeJS.ProcessEnv = process.env,
): Child {
  const fd = openSync(logFile, 'w');
  const child = spawn(process.execPath, args, { stdio: ['ignore', fd, fd], env });
  closeSync(fd);
  const log = (): string => readFileSync(logFile, 'utf8');
  let stopping = false;
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('exit', (code, signal) => {
      if (stopping) return;
      reject(new Error(`${args[0] ?? 'node'} ended (${signal ?? code}):\n${log().slice(-2000)}`));
    });
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    log,
    ended,
    [Symbol.asyncDispose]: () => {
      stopping = true;
      return stop(child);
    },
  };
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    child.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Resident memory of a process in MB (10^6 bytes), shared pages included. */
export function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

/** Children of a process that live now. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );
}

/** One tick of /proc/PID/stat: USER_HZ is 100 on every Linux that Node runs on. */
const tickMs = 10;

/**
 * Processor time in ms that a process has used, with its children: to the nanosecond for threads that live, in ticks
 * for children that have ended.
 */
export function processorMs(pid: number): number {
  const ended = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  // cutime and cstime: fields 16 and 17 of proc(5), counted here from the third.
  const ofEnded = (Number(ended[13]) + Number(ended[14])) * tickMs;
  const own = threadsMs(pid);
  return own + ofEnded + childrenOf(pid).reduce((sum, child) => sum + processorMs(child), 0);
}

function threadsMs(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [runNs] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    sum += Number(runNs) / 1e6;
  }
  return sum;
}
