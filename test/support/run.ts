// Runs a program to its end and returns what it came to, whatever that is.
import { spawn } from 'node:child_process';

/** What a run came to; 128: it was ended by a signal. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Buffer;
  readonly cwd?: string;
  /** It is killed after this time; without it, never. */
  readonly limitMs?: number;
}

/** Runs it; rejects only where it cannot be started. */
export async function run(
  program: string,
  args: readonly string[],
  { env, input = '', cwd, limitMs }: RunOptions = {},
): Promise<Run> {
  const child = spawn(program, args, { cwd, env, timeout: limitMs, killSignal: 'SIGKILL' });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 128));
  });
  return { status, ...texts };
}
