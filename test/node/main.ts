// `npm run test:node`: pods on a real kubelet on a real kernel with a real IOMMU, in a guest of QEMU.
//
//   npm run test:node -- [--core] [--kernel NAME]... [--keep-image] [PART]...
//
// --core: what CI has time for. NAME: newest, 6.12, 6.1, 6.12-cdev. PART: a piece of the name of a scene; only those are played.
// --keep-image: wholegroup's image as it was made last, not as this checkout is now.
// Where it cannot run it says why, as "skipped", and ends with 0 with --core, else with 69.
import { parseArgs } from 'node:util';
import { filesOf, runTestFiles } from '../../scripts/run-test-files.ts';
import { nodePrograms } from '../cluster/harness/cluster.ts';
import { runSelfEnclosed } from '../cluster/harness/enclosed-run.ts';
import { runVariable } from '../cluster/harness/enclosure.ts';
import { prepareInstall } from '../cluster/harness/product.ts';
import { slownessVariable } from '../cluster/stage/wait.ts';
import { Unavailable } from '../kernel/rig/apt.ts';
import { makeDiskFlag, nodeDisk, nodeKernels, nodeRig, slowness, variables } from './asked.ts';
import { makeDisk } from './disk.ts';
import { whyNoNode } from './why-not.ts';

const { values, positionals } = parseArgs({
  options: {
    core: { type: 'boolean', default: false },
    kernel: { type: 'string', multiple: true, default: [] },
    'keep-image': { type: 'boolean', default: false },
    // Set by this file itself, for runs of it within an enclosure.
    [makeDiskFlag.slice(2)]: { type: 'string' },
  },
  allowPositionals: true,
});
const startedMs = performance.now();
const tell = (line: string): void =>
  console.log(`[${((performance.now() - startedMs) / 1000).toFixed(1)} s] ${line}`);
/** EX_UNAVAILABLE. */
const cannotRun = 69;

function skipped(why: string): void {
  console.log(`﹣ skipped: test:node: ${why}`);
  process.exitCode = values.core ? 0 : cannotRun;
}

function environment(kernels: readonly string[]): NodeJS.ProcessEnv {
  return {
    [slownessVariable]: String(slowness),
    [variables.kernels]: kernels.join(','),
    [variables.core]: values.core ? '1' : '',
    [variables.only]: positionals.join('\n'),
  };
}

async function outside(): Promise<void> {
  const unknown = values.kernel.find((name) => !nodeKernels.some((known) => known === name));
  if (unknown !== undefined) {
    console.error(`--kernel is "${unknown}"; allowed: ${nodeKernels.join(', ')}`);
    process.exitCode = 64;
    return;
  }
  const why = whyNoNode();
  if (why !== null) return skipped(why);
  const chosen = nodeKernels.filter((name) => values.kernel.includes(name));
  const kernels = chosen.length > 0 ? chosen : values.core ? nodeKernels.slice(0, 1) : nodeKernels;
  try {
    await nodePrograms(tell);
    if (!values['keep-image']) await prepareInstall(tell);
    const rig = await nodeRig(kernels, tell);
    await nodeDisk(rig, tell);
    tell('everything is there');
  } catch (thrown) {
    if (!(thrown instanceof Unavailable)) throw thrown;
    return skipped(thrown.message);
  }
  process.exitCode = await runSelfEnclosed('test-node', environment(kernels));
  tell('all of it');
}

const order = values[makeDiskFlag.slice(2)];
if (typeof order === 'string') await makeDisk(order);
else if (process.env[runVariable] === undefined) await outside();
else await runTestFiles(filesOf('test/node/suites/*.node.ts', []), ['--test-concurrency=1']);
