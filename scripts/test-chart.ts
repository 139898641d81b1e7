// Runs the tests of the chart with the real Helm: `npm run test:chart`, with the arguments of `npm test`. Builds Helm and
// what else they need first, or finds it in the cache; where it cannot be built it says so, and that nothing was tested.
import { built } from '../test/cluster/build.ts';
import type { ProgramName } from '../test/cluster/programs.ts';
import { asked, filesOf, refuseNoFiles, runTestFiles } from './run-test-files.ts';

const needed: readonly ProgramName[] = ['helm', 'helm3', 'kubeconform', 'kubernetes'];

const { patterns, flags } = asked(process.argv.slice(2));
const files = filesOf('test/**/*.chart.ts', patterns);
if (files.length === 0) refuseNoFiles(patterns);

async function whyNot(): Promise<string | null> {
  for (const name of needed) {
    const result = await built(name, (line) => console.error(line));
    if (result.kind === 'missing') return result.why;
  }
  return null;
}

const why = await whyNot();
if (why === null) await runTestFiles(files, ['--test-concurrency=2', ...flags]);
else console.log(`﹣ skipped: all ${files.length} files of test:chart: ${why}`);
