// `npm run test:kernel`: boots Debian's kernels in QEMU with an emulated IOMMU and judges the project by them.
//
//   npm run test:kernel -- [--core | --everywhere] [--kernel NAME]... [--random N] [--seed N] [--guests N] [SUITE]...
//
// --core: what CI has time for. --everywhere: also what takes minutes on every kernel, not on one.
// NAME: 6.1, 6.12, 6.12-cdev, newest, 5.10. SUITE: flow, uses, refusals, random, transcripts.
// --random: random scripts for each kernel, 20 steps each (6 without a number).
// --guests: how many run side by side (2 without a number: one for each core of a small machine); of those that mostly wait
// twice as many.
// Where guests cannot run it says why, as "skipped", and ends with 69 (with --core: 0).
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { makeBundle } from '../../scripts/make-bundle.ts';
import { Unavailable } from './rig/apt.ts';
import { cacheFolder } from './rig/cache.ts';
import { prepareRig } from './rig/rig.ts';
import { kernelNames, type KernelName } from './rig/wanted.ts';
import { suiteNames } from './suites/judgement.ts';
import { asked, askedKernels } from './suites/setup.ts';

const { values, positionals } = parseArgs({
  options: {
    core: { type: 'boolean', default: false },
    everywhere: { type: 'boolean', default: false },
    kernel: { type: 'string', multiple: true, default: [] },
    random: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
    guests: { type: 'string', default: '2' },
  },
  allowPositionals: true,
});

const startedMs = performance.now();
const elapsed = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;

const notANumber = [values.random, values.seed, values.guests].find(
  (text) => !/^[1-9]\d*$/.test(text),
);
if (notANumber !== undefined) {
  console.error(`"${notANumber}" must be a whole number, 1 or more`);
  process.exit(64);
}
const unknown = values.kernel.find((name) => !kernelNames.some((known) => known === name));
if (unknown !== undefined) {
  console.error(`--kernel is "${unknown}"; allowed: ${kernelNames.join(', ')}`);
  process.exit(64);
}
const noSuite = positionals.find((name) => !suiteNames.some((known) => known === name));
if (noSuite !== undefined) {
  console.error(`there is no suite "${noSuite}"; there are: ${suiteNames.join(', ')}`);
  process.exit(64);
}
process.env[asked.suites] = (positionals.length === 0 ? suiteNames : positionals).join(',');
if (values.core) process.env[asked.core] = '1';
if (values.everywhere) process.env[asked.everywhere] = '1';
process.env[asked.random] = values.random;
process.env[asked.seed] = values.seed;
process.env[asked.guests] = values.guests;
process.env[asked.kernels] = values.kernel.join(',');

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts by the kernel that a test's name begins with. */
const counts = new Map<KernelName, Count>(
  kernelNames.map((name) => [name, { passed: 0, failed: 0, skipped: 0 }]),
);

function count(name: string, outcome: keyof Count): void {
  const kernel = kernelNames.find((each) => name.startsWith(`${each}: `));
  const of = kernel === undefined ? undefined : counts.get(kernel);
  if (of !== undefined) of[outcome] += 1;
}

async function judge(): Promise<number> {
  const file = join(import.meta.dirname, 'suites', 'all.long.test.ts');
  let failed = 0;
  const stream = run({ files: [file], timeout: Infinity });
  stream.on('test:pass', ({ name, skip }) =>
    count(name, skip === undefined ? 'passed' : 'skipped'),
  );
  stream.on('test:fail', ({ name }) => {
    failed += 1;
    count(name, 'failed');
  });
  const report = stream.compose(spec());
  for await (const chunk of report) process.stdout.write(chunk as string);
  for (const [name, of] of counts) {
    const { passed, failed: lost, skipped } = of;
    if (passed + lost + skipped === 0) continue;
    console.log(`kernel ${name}: ${passed} passed, ${lost} failed, ${skipped} skipped`);
  }
  console.log(`all of it took ${elapsed()}`);
  return failed === 0 ? 0 : 1;
}

try {
  const rig = await prepareRig(cacheFolder(process.env), askedKernels(), (line) =>
    console.log(`[${elapsed()}] ${line}`),
  );
  await makeBundle();
  console.log(`[${elapsed()}] the rig is there, and the agent's bundle`);
  for (const { name, release } of rig.kernels) console.log(`kernel ${name} is Linux ${release}`);
  for (const [name, why] of rig.missing) console.log(`kernel ${name}: skipped: ${why}`);
  process.exitCode = await judge();
} catch (thrown) {
  if (!(thrown instanceof Unavailable)) throw thrown;
  console.log(`skipped: guests cannot run here: ${thrown.message}`);
  process.exitCode = values.core ? 0 : 69;
}
