// Runs programs of the harness, each with a limit: one that hangs must not hold up a whole run.
import { type Run, run as runToEnd, type RunOptions } from '../../support/run.ts';

const defaultLimitMs = 120_000;

/** Runs it for two minutes at most, unless said otherwise; rejects only where it cannot be started. */
export function run(
  program: string,
  args: readonly string[],
  { limitMs = defaultLimitMs, ...options }: RunOptions = {},
): Promise<Run> {
  return runToEnd(program, args, { ...options, limitMs });
}

/** Runs it, and throws what it said when it failed; its standard output. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, options);
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
}
