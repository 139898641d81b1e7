// The demo's processes: the served kernel and the agent run as programs of their own, so that one of them can
// be killed for real.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock.ts';
import { CodedError } from '../../base/errors.ts';

/** Starts this program again with other arguments; its log goes to a file. */
export function startSelf(args: readonly string[], logFile: string): ChildProcess {
  const [, program = ''] = process.argv;
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
}

/** Ends a process and resolves when it has ended. */
export function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** A port of the loopback address that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Asks again and again until there is an answer; throws WG_INTERNAL with `what` after `limitMs`. */
export async function until<T>(
  clock: Clock,
  what: string,
  ask: () => Promise<T | null>,
  limitMs = 20_000,
): Promise<T> {
  const endMs = clock.monotonicMs() + limitMs;
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer !== null) return answer;
    if (clock.monotonicMs() >= endMs) {
      throw new CodedError('WG_INTERNAL', `the demo waited ${limitMs} ms in vain: ${what}`);
    }
    await sleep(clock, 40);
  }
}

/** Files of one run of the demo. */
export interface DemoPlaces {
  readonly root: string;
  readonly simSocket: string;
  readonly topology: string;
  readonly policies: string;
  readonly kubeletDir: string;
  readonly cdiDir: string;
  readonly stateDir: string;
  readonly agentLog: string;
  readonly simLog: string;
}

/** The places below one folder. */
export function placesIn(root: string): DemoPlaces {
  return {
    root,
    simSocket: join(root, 'sim.sock'),
    topology: join(root, 'machine.yaml'),
    policies: join(root, 'policies.yaml'),
    kubeletDir: join(root, 'kubelet'),
    cdiDir: join(root, 'cdi'),
    stateDir: join(root, 'state'),
    agentLog: join(root, 'agent.log'),
    simLog: join(root, 'sim.log'),
  };
}
