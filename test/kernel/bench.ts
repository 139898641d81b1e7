// `npm run bench:kernel`: what the agent costs on a real kernel, in a guest, beside the least that the same work costs
// in the same guest. Prints a table and writes JSON.
//
//   npm run bench:kernel -- [--kernel NAME] [--json FILE]
//
// Times are those of an emulated machine: ratios are what is judged.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMet, type Measure, ratioOf } from '../../bench/measure.ts';
import { makeBundle } from '../../scripts/make-bundle.ts';
import { Unavailable } from './rig/apt.ts';
import { cacheFolder } from './rig/cache.ts';
import { accountOf, runGuest } from './rig/guest.ts';
import { textFile } from './rig/initramfs.ts';
import { prepareRig } from './rig/rig.ts';
import { shapes } from './rig/shapes.ts';
import { type KernelName, kernelNames } from './rig/wanted.ts';
import { guestProgram } from './suites/guest-program.ts';

const { values } = parseArgs({
  options: { kernel: { type: 'string', default: '6.12' }, json: { type: 'string' } },
});
const name = kernelNames.find((each) => each === values.kernel);
if (name === undefined) {
  console.error(`--kernel is "${values.kernel}"; allowed: ${kernelNames.join(', ')}`);
  process.exit(64);
}

const mark = '@@MEASURE ';
const deadlineMs = 900_000;

async function measure(wanted: KernelName): Promise<readonly Measure[]> {
  const rig = await prepareRig(cacheFolder(process.env), [wanted], (line) => console.error(line));
  await makeBundle();
  const kernel = rig.kernels.find((each) => each.name === wanted);
  if (kernel === undefined) throw new Unavailable(`there is no kernel ${wanted}`);
  const job = [await guestProgram('bench.ts'), textFile('job/main', 'node /job/bench.mjs\n')];
  const ended = await runGuest({ rig, kernel, shape: shapes.agent, job, deadlineMs });
  if (ended.status !== 0) throw new Error(`${accountOf(ended)}\n${ended.lines.join('\n')}`);
  return ended.lines
    .filter((line) => line.startsWith(mark))
    .map((line) => JSON.parse(line.slice(mark.length)) as Measure);
}

function row(each: Measure): string {
  const { name, value, unit, floor, target, how } = each;
  const ratio = ratioOf(each)?.toFixed(2) ?? '';
  const beside = floor === null ? '' : `, ${floor.what} ${floor.value.toFixed(1)}: ${ratio} times`;
  const bound = target === null ? '' : ` (at most ${target.max}: ${isMet(each) ? 'ok' : 'over'})`;
  return `${name}: ${value.toFixed(1)} ${unit}${beside}${bound}; ${how}`;
}

try {
  const measures = await measure(name);
  for (const each of measures) console.log(row(each));
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ kernel: name, measures }, null, 2)}\n`);
  }
  process.exitCode = measures.some((each) => isMet(each) === false) ? 1 : 0;
} catch (thrown) {
  if (!(thrown instanceof Unavailable)) throw thrown;
  console.log(`skipped: guests cannot run here: ${thrown.message}`);
  process.exitCode = 69;
}
