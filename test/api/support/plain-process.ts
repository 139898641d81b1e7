// A program as a plain process of the test: output into a file, killed by the kernel when the test dies first,
// stopped by its own pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { errorText } from '../../../src/base/errors.ts';
import { until } from './waiting.ts';

/** What to start. */
export interface PlainCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Everything it prints is added to this file. */
  readonly logFile: string;
}

const graceMs = 10_000;

/** One running program. */
export class PlainProcess {
  readonly #child: ChildProcess;
  readonly #command: PlainCommand;

  constructor(command: PlainCommand) {
    const { program, args, logFile } = command;
    const log = openSync(logFile, 'a');
    // setpriv replaces itself by the program, so the pid is the program's.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#command = command;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it has ended, by whatever. */
  async ended(): Promise<void> {
    if (this.running) await once(this.#child, 'exit');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it, and returns when it has ended. SIGTERM is followed by SIGKILL when it is not obeyed. */
  async stop(name: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(name);
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(patience);
  }

  /** Asks `isReady` until it says yes. Throws with the end of the output when the program ends or takes too long. */
  async until(isReady: () => Promise<boolean>, what: string, limitMs = 180_000): Promise<void> {
    const hopeless = (): string | null => (this.running ? null : 'it has ended');
    await until(what, isReady, { limitMs, hopeless }).catch((cause: unknown) => {
      const log = readFileSync(this.#command.logFile, 'utf8').split('\n').slice(-30).join('\n');
      throw new Error(`${this.#command.program}: ${errorText(cause)}:\n${log}`, { cause });
    });
  }
}

/** Ports of the loopback address that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
