#!/usr/bin/env node
// The command line: the only place that reads the environment, constructs the edges and exits.
import { commandLine } from './command-line.ts';
import { exitStatuses, failureOf } from './exit.ts';
import type { Streams } from './output.ts';
import { paintFor } from './render/paint.ts';

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stdout.isTTY && process.stdin.isTTY,
  isTerminal: process.stdout.isTTY,
  // 0: a terminal that does not tell its size.
  columns: () => process.stdout.columns || 100,
  paint: paintFor(process.stdout, process.env),
};

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (problem: NodeJS.ErrnoException) => {
  if (problem.code === 'EPIPE') process.exit(exitStatuses.ok.status);
});

async function statusOf(): Promise<number> {
  try {
    return await commandLine(process.argv.slice(2), streams, process.env);
  } catch (thrown) {
    const failure = failureOf(thrown);
    streams.err(failure.text);
    return failure.status;
  }
}

// Timers of parts that were stopped (a kubelet's grace periods) must not keep the process alive.
process.exit(await statusOf());
