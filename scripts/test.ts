// Runs the tests: `npm test`, or `npm test -- PATTERN` for the files whose path contains PATTERN, and flags of
// node --test (`--test-name-pattern=…`). What takes minutes has a command of its own and is not run here.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root } from './generated.ts';

/** Folders under test/ that are not part of `npm test`: programs of their own, long runs, data. */
const elsewhere = ['test/soak/', 'test/real/', 'test/data/'];

/** Test files from the root of the repository, in order. Long suites are named *.long.test.ts. */
function testFiles(patterns: readonly string[]): string[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).sort();
  return files
    .filter(
      (file) =>
        !elsewhere.some((folder) => file.startsWith(folder)) && !file.endsWith('.long.test.ts'),
    )
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
}

const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('-'));
const patterns = args
  .filter((arg) => !arg.startsWith('-'))
  .map((arg) => arg.replace(/^\.\//, '').replace(/\*+/g, ''));
const files = testFiles(patterns);
if (files.length === 0) {
  console.error(`no test file has ${patterns.map((each) => `"${each}"`).join(' or ')} in its path`);
  process.exit(66);
}

// On a terminal every test; in a pipe what failed, and the closing lines.
const reporter =
  process.stdout.isTTY || flags.some((flag) => flag.startsWith('--test-reporter'))
    ? []
    : [`--test-reporter=${join(root, 'scripts', 'brief-reporter.ts')}`];
const child = spawn(process.execPath, ['--test', ...reporter, ...flags, ...files], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
});
