// What ends a process that runs until it is told to end.
import { failureOf } from './exit.ts';

/** The end of a process. */
export interface End {
  /** Resolves with the first SIGTERM or SIGINT; rejects when a bug was met. */
  readonly signal: Promise<string>;
  readonly crash: (problem: unknown) => void;
}

/** What ends the process: a signal, or a bug. A second signal ends it at once. */
export function endOfProcess(): End {
  let crash: (problem: unknown) => void = () => undefined;
  const signal = new Promise<string>((resolve, reject) => {
    crash = reject;
    let first = true;
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (!first) process.exit(130);
        first = false;
        resolve(name);
      });
    }
  });
  // A crash may come before anybody waits; it is printed then and ends the process.
  signal.catch((problem: unknown) => {
    process.stderr.write(failureOf(problem).text);
    process.exit(failureOf(problem).status);
  });
  return { signal, crash: (problem) => crash(problem) };
}
