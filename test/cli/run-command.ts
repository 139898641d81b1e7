// Runs one command line in this process and keeps what it printed, as src/cli/main.ts and kubectl-main.ts would.
import { commandLine } from '../../src/cli/command-line.ts';
import { failureOf } from '../../src/cli/exit.ts';
import type { Streams } from '../../src/cli/output.ts';
import { paintFor } from '../../src/cli/render/paint.ts';
import type { CommandLine } from '../../src/cli/streams.ts';

/** What came of a command. */
export interface Ran {
  readonly out: string;
  readonly err: string;
  readonly status: number;
}

/** Where it runs: a pipe, unless a width makes it a terminal. */
export interface RunWith {
  readonly env?: Readonly<Record<string, string>>;
  /** Columns of the terminal. */
  readonly width?: number;
  /** That of `wholegroup` unless said. */
  readonly line?: CommandLine;
}

/** Runs the command line `args`. */
export async function runCommand(args: readonly string[], options: RunWith = {}): Promise<Ran> {
  const { env = {}, width, line = commandLine } = options;
  const printed = { out: '', err: '' };
  const isTerminal = width !== undefined;
  const streams: Streams = {
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.err += text),
    interactive: false,
    isTerminal,
    columns: () => width ?? 100,
    paint: paintFor({ isTTY: isTerminal }, env),
  };
  let status: number;
  try {
    status = await line(args, streams, env);
  } catch (thrown) {
    const failure = failureOf(thrown);
    streams.err(failure.text);
    status = failure.status;
  }
  return { ...printed, status };
}
