// Runs test files under node:test: the same flags, output and exit status for every command that does so.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root } from './generated.ts';

/** What a command line asks for: parts of paths, and flags for node --test. */
export interface Asked {
  readonly patterns: readonly string[];
  readonly flags: readonly string[];
}

/** Reads the arguments of a test command: `PATTERN ... --flag ...`. */
export function asked(args: readonly string[]): Asked {
  const patterns = args
    .filter((arg) => !arg.startsWith('-'))
    .map((arg) => arg.replace(/^\.\//, '').replace(/\*+/g, ''));
  return { patterns, flags: args.filter((arg) => arg.startsWith('-')) };
}

/** Files that fit a glob, from the root of the repository, in order, whose path contains one of the patterns. */
export function filesOf(glob: string, patterns: readonly string[]): string[] {
  const files = globSync(glob, { cwd: root }).sort();
  return files.filter(
    (file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)),
  );
}

/** Ends the process: no file fits the patterns. */
export function refuseNoFiles(patterns: readonly string[]): never {
  console.error(`no test file has ${patterns.map((each) => `"${each}"`).join(' or ')} in its path`);
  process.exit(66);
}

/** No test file takes as long as this, in milliseconds: one that hangs fails, and the others go on. */
const fileMsMax = 900_000;

/** Runs the files and sets the exit status of this process; returns when they have ended. */
export async function runTestFiles(
  files: readonly string[],
  flags: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  // On a terminal every test; in a pipe what failed, and the closing lines.
  const reporter =
    process.stdout.isTTY || flags.some((flag) => flag.startsWith('--test-reporter'))
      ? []
      : [`--test-reporter=${join(root, 'scripts', 'brief-reporter.ts')}`];
  const timeout = `--test-timeout=${fileMsMax}`;
  const child = spawn(process.execPath, ['--test', ...reporter, timeout, ...flags, ...files], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => child.kill(signal));
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      resolve();
    });
  });
}
