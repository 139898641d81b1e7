// Runs a program of the host to its end, for the rig: what it printed, or an error that quotes how it ended.
import { spawn } from 'node:child_process';

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Statuses that are no failure; 0 always is one of them. */
  readonly allow?: readonly number[];
}

const quotedLines = 8;

/** Runs `program`; its standard output. Rejects with the end of standard error when it fails or is not there. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env, allow = [] }: RunOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject);
  child.once('close', ended.resolve);
  const status = await ended.promise;
  if (status === null || (status !== 0 && !allow.includes(status))) {
    const said = Buffer.concat(err).toString().trim().split('\n').slice(-quotedLines).join('\n');
    throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${said}`);
  }
  return Buffer.concat(out).toString();
}
