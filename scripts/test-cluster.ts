// Runs the scenarios on a real Kubernetes: `npm run test:cluster [-- --core] [PATTERN ...]`. Builds what it needs or
// finds it in the cache; runs all files in one enclosure; looks afterwards that nothing was left on the machine.
import { nodePrograms } from '../test/cluster/harness/cluster.ts';
import { runSelfEnclosed } from '../test/cluster/harness/enclosed-run.ts';
import { runVariable, whyNoCluster } from '../test/cluster/harness/enclosure.ts';
import { prepareInstall } from '../test/cluster/harness/product.ts';
import { Unavailable } from '../test/kernel/rig/apt.ts';
import { asked, filesOf, refuseNoFiles, runTestFiles } from './run-test-files.ts';

const { patterns, flags } = asked(process.argv.slice(2));
const core = flags.includes('--core');
const all = filesOf('test/cluster/scenarios/**/*.cluster.ts', patterns);
const files = core ? all.filter((file) => file.includes('/core/')) : all;
if (files.length === 0) refuseNoFiles(patterns);
const testFlags = flags.filter((flag) => flag !== '--core');

async function outside(): Promise<void> {
  const tell = (line: string): void => console.error(line);
  const why = whyNoCluster();
  if (why !== null) {
    console.log(`﹣ skipped: all ${files.length} files of test:cluster: ${why}`);
    return;
  }
  try {
    await nodePrograms(tell);
    await prepareInstall(tell);
  } catch (thrown) {
    if (!(thrown instanceof Unavailable)) throw thrown;
    console.log(`﹣ skipped: all ${files.length} files of test:cluster: ${thrown.message}`);
    return;
  }
  process.exitCode = await runSelfEnclosed('test-cluster');
}

if (process.env[runVariable] === undefined) await outside();
// One after the other: clusters of one enclosure share its network, and this machine its cores.
else await runTestFiles(files, ['--test-concurrency=1', ...testFlags]);
