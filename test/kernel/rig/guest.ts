// One guest: boots it, hands every line of its second serial line to the caller, does what it asks of the monitor,
// and ends it. A guest that hangs is ended at its deadline; of one that failed the console is kept.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Entry } from './cpio.ts';
import { initramfs } from './initramfs.ts';
import { tellMonitor } from './monitor.ts';
import { type Machine, qemuCommand } from './qemu-command.ts';

/** What is to be run. */
export interface Boot extends Machine {
  /** Files of this run; `job/main` is the shell script that is run. */
  readonly job: readonly Entry[];
  readonly deadlineMs: number;
  /** Called with each line as it comes; may answer on the guest's standard input. */
  readonly onLine?: (line: string, answer: (text: string) => void) => void;
  /** Whether console and command line are kept; without it, when the job did not end with 0. */
  readonly keeps?: () => boolean;
  /** Where the folder of the run is made; in the cache without it. */
  readonly runs?: string;
  /** Whoever started it ends it when a signal comes; without it this process ends then, and the guest with it. */
  readonly endsOtherwise?: boolean;
}

/** What came of it. */
export interface Ended {
  readonly lines: readonly string[];
  /** Status of the job; null when the guest did not come to its end. */
  readonly status: number | null;
  readonly how: 'powered off' | 'ended at its deadline' | 'died';
  /** Where console and command line are kept, when it did not end well. */
  readonly kept: string | null;
  readonly tookMs: number;
}

/** A guest that runs. */
export interface RunningGuest {
  readonly ended: Promise<Ended>;
  /** Has console.log, qemu.err and the command for as long as it runs. */
  readonly folder: string;
  /** Says something on the standard input of its job. */
  write(text: string): void;
  /** Tells QEMU's monitor one command; its answer. */
  monitor(command: string): Promise<string>;
  /** Ends it at once, as a power cut. */
  kill(): void;
}

type Qemu = ChildProcessWithoutNullStreams;

const powerOffMs = 300;

/** A guest does not outlive whoever started it. Returns how to forget it. */
function endWithUs(child: Qemu, endsOtherwise: boolean): () => void {
  const end = (): void => void child.kill('SIGKILL');
  const leave = (): void => process.exit(1);
  process.on('exit', end);
  if (endsOtherwise) return () => process.off('exit', end);
  process.on('SIGTERM', leave).on('SIGINT', leave).on('SIGHUP', leave);
  return () => {
    process.off('exit', end);
    process.off('SIGTERM', leave).off('SIGINT', leave).off('SIGHUP', leave);
  };
}

async function prepareFolder(boot: Boot): Promise<string> {
  const runs = boot.runs ?? join(boot.rig.cache, 'runs');
  mkdirSync(runs, { recursive: true });
  const folder = mkdtempSync(join(runs, `${boot.shape.name}-${boot.kernel.name}-`));
  const archives = await initramfs(boot.rig, boot.kernel, boot.shape, boot.job);
  writeFileSync(join(folder, 'initrd'), Buffer.concat(archives));
  return folder;
}

function startQemu(boot: Boot, folder: string): Qemu {
  const [program, ...args] = qemuCommand(boot, folder);
  writeFileSync(join(folder, 'command'), [program, ...args].map((arg) => `'${arg}'`).join(' '));
  const modules = join(boot.rig[boot.shape.qemu], 'usr/lib/x86_64-linux-gnu/qemu');
  const child = spawn(program, args, { env: { ...process.env, QEMU_MODULE_DIR: modules } });
  child.stderr.pipe(createWriteStream(join(folder, 'qemu.err')));
  // A guest that has gone needs no answer.
  child.stdin.on('error', () => undefined);
  return child;
}

/** Reads what the job says until the guest has ended; its lines. */
async function listen(boot: Boot, folder: string, child: Qemu): Promise<readonly string[]> {
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (raw) => {
    const line = raw.replace(/\r$/, '');
    lines.push(line);
    if (line.startsWith('@@HOST ')) {
      // What it refuses, the job sees by itself.
      tellMonitor(join(folder, 'qmp'), line.slice('@@HOST '.length)).catch(() => undefined);
    }
    // What the job did to the kernel may keep it from powering off.
    if (line.startsWith('@@DONE ')) setTimeout(() => child.kill('SIGKILL'), powerOffMs);
    boot.onLine?.(line, (text) => child.stdin.write(text));
  });
  const closed = Promise.withResolvers<void>();
  child.once('error', closed.reject);
  child.once('close', () => closed.resolve());
  await closed.promise;
  return lines;
}

/** What is left of a run: nothing, or its folder without what only a boot needs. */
function putAway(boot: Boot, folder: string, status: number | null): string | null {
  if (boot.keeps?.() ?? status !== 0) {
    rmSync(join(folder, 'initrd'), { force: true });
    return folder;
  }
  rmSync(folder, { recursive: true });
  return null;
}

async function toItsEnd(boot: Boot, folder: string, child: Qemu): Promise<Ended> {
  const startedMs = performance.now();
  const forget = endWithUs(child, boot.endsOtherwise ?? false);
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, boot.deadlineMs);
  const lines = await listen(boot, folder, child);
  clearTimeout(deadline);
  forget();
  const done = /^@@DONE (\d+)$/.exec(lines.at(-1) ?? '');
  const status = done === null ? null : Number(done[1]);
  const how = status !== null ? 'powered off' : late ? 'ended at its deadline' : 'died';
  const kept = putAway(boot, folder, status);
  return { lines, status, how, kept, tookMs: performance.now() - startedMs };
}

/** Boots a guest and returns while it runs. */
export async function startGuest(boot: Boot): Promise<RunningGuest> {
  const folder = await prepareFolder(boot);
  const child = startQemu(boot, folder);
  return {
    ended: toItsEnd(boot, folder, child),
    folder,
    write: (text) => void child.stdin.write(text),
    monitor: (command) => tellMonitor(join(folder, 'qmp'), command),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Boots a guest and runs its job to the end. */
export async function runGuest(boot: Boot): Promise<Ended> {
  return await (await startGuest(boot)).ended;
}

/** One sentence about how a guest ended, with the end of its console where it did not end well. */
export function accountOf({ how, status, kept, tookMs }: Ended): string {
  const head = `guest ${how} after ${(tookMs / 1000).toFixed(1)} s, status ${status}`;
  if (kept === null) return head;
  const tail = readFileSync(join(kept, 'console.log'), 'utf8').trimEnd().split('\n').slice(-15);
  return `${head}; kept in ${kept}\n${tail.join('\n')}`;
}
