// Runs the tests: `npm test`, or `npm test -- PATTERN` for the files whose path contains PATTERN, and flags of
// node --test (`--test-name-pattern=…`). What takes minutes has a command of its own and is not run here.
import { asked, filesOf, refuseNoFiles, runTestFiles } from './run-test-files.ts';

/** Folders under test/ that are not part of `npm test`: programs of their own, long runs, data. */
const elsewhere = ['test/soak/', 'test/real/', 'test/data/'];

const { patterns, flags } = asked(process.argv.slice(2));
// Long suites are named *.long.test.ts, those that need a real API server *.api.ts.
const files = filesOf('test/**/*.test.ts', patterns).filter(
  (file) => !elsewhere.some((folder) => file.startsWith(folder)) && !file.endsWith('.long.test.ts'),
);
if (files.length === 0) refuseNoFiles(patterns);
await runTestFiles(files, flags);
