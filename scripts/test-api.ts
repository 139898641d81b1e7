// Runs the tests against a real kube-apiserver with etcd: `npm run test:api`, with the arguments of `npm test`. Builds
// the two first, or finds them in the cache; where they cannot be built it says so, and that nothing was tested.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../test/cluster/build.ts';
import { asked, filesOf, refuseNoFiles, runTestFiles } from './run-test-files.ts';

const { patterns, flags } = asked(process.argv.slice(2));
const files = filesOf('test/**/*.api.ts', patterns);
if (files.length === 0) refuseNoFiles(patterns);
const kubernetes = await built('kubernetes', (line) => console.error(line));
if (kubernetes.kind === 'missing') {
  console.log(`﹣ skipped: all ${files.length} files of test:api: ${kubernetes.why}`);
} else {
  // Whatever ends a test file early, its folders go.
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-test-api-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  // An API server takes a core while it starts: more than two at once are slower, not faster.
  const env = { ...process.env, TMPDIR: folder };
  await runTestFiles(files, ['--test-concurrency=2', ...flags], env);
}
