// The process as a command line sees it, and its end.
import { exitStatuses, failureOf } from './exit.ts';
import type { Streams } from './output.ts';
import { paintFor } from './render/paint.ts';

/** A command line: arguments in, exit status out. */
export type CommandLine = (
  args: readonly string[],
  streams: Streams,
  env: Readonly<Record<string, string | undefined>>,
) => Promise<number>;

function processStreams(): Streams {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stdout.isTTY && process.stdin.isTTY,
    isTerminal: process.stdout.isTTY,
    // 0: a terminal that does not tell its size.
    columns: () => process.stdout.columns || 100,
    paint: paintFor(process.stdout, process.env),
  };
}

/** Runs the command line of this process, prints what went wrong, and ends the process. */
export async function runProcess(commandLine: CommandLine): Promise<never> {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (problem: NodeJS.ErrnoException) => {
    if (problem.code === 'EPIPE') process.exit(exitStatuses.ok.status);
  });
  const streams = processStreams();
  const status = await commandLine(process.argv.slice(2), streams, process.env).catch(
    (thrown: unknown) => {
      const failure = failureOf(thrown);
      streams.err(failure.text);
      return failure.status;
    },
  );
  // Timers of parts that were stopped (a kubelet's grace periods) must not keep the process alive.
  process.exit(status);
}
