// One guest: boots it, hands every line of its second serial line to the caller, does what it asks of the monitor,
// and ends it. A guest that hangs is ended at its deadline; of one that failed the console is kept.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Entry } from './cpio.ts';
import { initramfs } from './initramfs.ts';
import type { KernelTree, Rig } from './rig.ts';
import type { Shape } from './shapes.ts';

/** What is to be run. */
export interface Boot {
  readonly rig: Rig;
  readonly kernel: KernelTree;
  readonly shape: Shape;
  /** Files of this run; `job/main` is the shell script that is run. */
  readonly job: readonly Entry[];
  readonly deadlineMs: number;
  /** Called with each line as it comes; may answer on the guest's standard input. */
  readonly onLine?: (line: string, answer: (text: string) => void) => void;
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

const diskBytes = 64 * 1024 * 1024;
const powerOffMs = 300;
const everyGuest = [
  ...['console=ttyS0', 'rdinit=/init', 'panic=-1', 'quiet', 'loglevel=4', 'mitigations=off'],
  ...['nowatchdog', 'tsc=reliable', 'no_timer_check', 'net.ifnames=0'],
];

function qemuCommand(boot: Boot, folder: string): readonly [string, ...string[]] {
  const { rig, shape, kernel } = boot;
  const prefix = join(rig[shape.qemu], 'usr');
  const withDisks = shape.options.map((option) =>
    option.replace(/\{disk:(\w+)\}/g, (_, name: string) => {
      const path = join(folder, `${name}.img`);
      writeFileSync(path, '');
      truncateSync(path, diskBytes);
      return path;
    }),
  );
  return [
    join(prefix, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'),
    ...['--library-path', join(prefix, 'lib/x86_64-linux-gnu')],
    join(prefix, 'bin/qemu-system-x86_64'),
    ...['share/qemu', 'share/seabios', 'lib/ipxe/qemu'].flatMap((each) => [
      '-L',
      join(prefix, each),
    ]),
    ...[
      '-machine',
      'q35',
      '-accel',
      'tcg',
      '-cpu',
      'max',
      '-smp',
      '1',
      '-m',
      String(shape.memoryMiB),
    ],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-rtc', 'base=utc'],
    ...['-serial', `file:${join(folder, 'console.log')}`],
    ...['-chardev', 'stdio,id=job,signal=off', '-serial', 'chardev:job'],
    ...['-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
    ...withDisks,
    ...shape.devices.flatMap((device) => ['-device', device]),
    ...['-kernel', join(kernel.folder, 'vmlinuz'), '-initrd', join(folder, 'initrd')],
    ...['-append', [...everyGuest, ...shape.cmdline].join(' ')],
  ];
}

/** Tells QEMU's monitor one command, and waits for its answer. */
function tellMonitor(socketPath: string, command: string): void {
  const socket: Socket = connect(socketPath);
  const say = (execute: string, args?: object): void => {
    socket.write(`${JSON.stringify({ execute, ...(args && { arguments: args }) })}\n`);
  };
  let answers = 0;
  createInterface({ input: socket }).on('line', (line) => {
    if (line.includes('"QMP"')) say('qmp_capabilities');
    if (!line.includes('"return"') && !line.includes('"error"')) return;
    answers += 1;
    if (answers === 1) say('human-monitor-command', { 'command-line': command });
    else socket.end();
  });
  socket.on('error', () => socket.destroy());
}

/** A guest does not outlive whoever started it. Returns how to forget it. */
function endWithUs(child: ChildProcess): () => void {
  const end = (): void => void child.kill('SIGKILL');
  const leave = (): void => process.exit(1);
  process.on('exit', end);
  process.on('SIGTERM', leave).on('SIGINT', leave).on('SIGHUP', leave);
  return () => {
    process.off('exit', end);
    process.off('SIGTERM', leave).off('SIGINT', leave).off('SIGHUP', leave);
  };
}

async function prepareFolder(boot: Boot): Promise<string> {
  const runs = join(boot.rig.cache, 'runs');
  mkdirSync(runs, { recursive: true });
  const folder = mkdtempSync(join(runs, `${boot.shape.name}-${boot.kernel.name}-`));
  const archives = await initramfs(boot.rig, boot.kernel, boot.shape, boot.job);
  writeFileSync(join(folder, 'initrd'), Buffer.concat(archives));
  return folder;
}

/** Boots a guest and runs its job to the end. */
export async function runGuest(boot: Boot): Promise<Ended> {
  const folder = await prepareFolder(boot);
  const [program, ...args] = qemuCommand(boot, folder);
  writeFileSync(join(folder, 'command'), [program, ...args].map((arg) => `'${arg}'`).join(' '));
  const startedMs = performance.now();
  const child = spawn(program, args, {
    env: {
      ...process.env,
      QEMU_MODULE_DIR: join(boot.rig[boot.shape.qemu], 'usr/lib/x86_64-linux-gnu/qemu'),
    },
  });
  const forget = endWithUs(child);
  child.stderr.pipe(createWriteStream(join(folder, 'qemu.err')));
  // A guest that has gone needs no answer.
  child.stdin.on('error', () => undefined);
  const lines: string[] = [];
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, boot.deadlineMs);
  createInterface({ input: child.stdout }).on('line', (raw) => {
    const line = raw.replace(/\r$/, '');
    lines.push(line);
    if (line.startsWith('@@HOST ')) {
      tellMonitor(join(folder, 'qmp'), line.slice('@@HOST '.length));
    }
    // What the job did to the kernel may keep it from powering off.
    if (line.startsWith('@@DONE ')) setTimeout(() => child.kill('SIGKILL'), powerOffMs);
    boot.onLine?.(line, (text) => child.stdin.write(text));
  });
  const closed = Promise.withResolvers<void>();
  child.once('error', closed.reject);
  child.once('close', () => closed.resolve());
  await closed.promise;
  clearTimeout(deadline);
  forget();
  const done = /^@@DONE (\d+)$/.exec(lines.at(-1) ?? '');
  const status = done === null ? null : Number(done[1]);
  const how = status !== null ? 'powered off' : late ? 'ended at its deadline' : 'died';
  const kept = status === 0 ? null : folder;
  if (kept === null) rmSync(folder, { recursive: true });
  else rmSync(join(folder, 'initrd'), { force: true });
  return { lines, status, how, kept, tookMs: performance.now() - startedMs };
}

/** One sentence about how a guest ended, with the end of its console where it did not end well. */
export function accountOf({ how, status, kept, tookMs }: Ended): string {
  const head = `guest ${how} after ${(tookMs / 1000).toFixed(1)} s, status ${status}`;
  if (kept === null) return head;
  const tail = readFileSync(join(kept, 'console.log'), 'utf8').trimEnd().split('\n').slice(-15);
  return `${head}; kept in ${kept}\n${tail.join('\n')}`;
}
