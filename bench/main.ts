// Measures what was promised: `npm run bench`. Prints a table and writes bench/results.json (or --json FILE). Each
// value comes with its floor, measured in the same run on the same machine. --only NAME (may be repeated), --quick.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { largeMachine } from '../src/kernel/model/topology-large.ts';
import { makeBundle } from '../scripts/make-bundle.ts';
import { root } from './children.ts';
import { allocate } from './allocate.ts';
import { apiMemory } from './api/memory.ts';
import { apiScale } from './api/scale.ts';
import { apiSteady } from './api/steady.ts';
import { apiWatch } from './api/watch.ts';
import { churn } from './churn.ts';
import { idle } from './idle.ts';
import { inventory } from './inventory.ts';
import { type Bench, isMet, type Measure, ratioOf } from './measure.ts';
import { memory } from './memory.ts';
import { push } from './push.ts';
import { start } from './start.ts';
import { type TreeRoots, writeMachineTree } from './tree.ts';

const benches: readonly Bench[] = [
  ...[allocate, churn, push, inventory, start, memory, idle],
  ...[apiWatch, apiMemory, apiScale, apiSteady],
];

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: join(root, 'bench', 'results.json') },
  },
});

const unknown = flags.only?.find((name) => !benches.some((bench) => bench.name === name));
if (unknown !== undefined) {
  console.error(`"${unknown}" is no bench; they are ${benches.map(({ name }) => name).join(', ')}`);
  process.exit(64);
}

await makeBundle();
const shared = mkdtempSync('/dev/shm/wholegroup-bench-');
const trees = new Map<number, Promise<TreeRoots>>();
function tree(functions: number): Promise<TreeRoots> {
  const there = trees.get(functions);
  if (there !== undefined) return there;
  const written = writeMachineTree(
    largeMachine('bench', functions),
    join(shared, String(functions)),
  );
  trees.set(functions, written);
  return written;
}

const number = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

function row(measure: Measure): readonly string[] {
  const { name, value, unit, floor, target } = measure;
  const ratio = ratioOf(measure);
  const met = isMet(measure);
  const bound =
    target === null ? '' : `≤ ${target.max}${target.of === 'ratio' ? ' × floor' : ` ${unit}`}`;
  return [
    name,
    `${number(value)} ${unit}`,
    floor === null ? '' : `${number(floor.value)} ${unit} (${floor.what})`,
    ratio === null ? '' : ratio.toFixed(2),
    bound,
    met === null ? '' : met ? 'ok' : 'over',
  ];
}

function print(measures: readonly Measure[]): void {
  const rows = [['measure', 'value', 'floor', 'ratio', 'target', ''], ...measures.map(row)];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  for (const cells of rows) {
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

const measures: Measure[] = [];
const say = (text: string): void => console.error(`  ${text}`);
try {
  for (const bench of benches) {
    const wanted = flags.only?.includes(bench.name) ?? bench.onlyByName !== true;
    if (!wanted) continue;
    console.error(`${bench.name}: ${bench.about}`);
    const found = await bench.run({ quick: flags.quick, say, tree });
    for (const measure of found) say(row(measure).filter(Boolean).join(', '));
    measures.push(...found);
  }
} finally {
  rmSync(shared, { recursive: true, force: true });
}
console.log('');
print(measures);
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  linux: release(),
  node: process.version,
};
const judged = measures.map((measure) => ({
  ...measure,
  ratio: ratioOf(measure),
  met: isMet(measure),
}));
writeFileSync(
  flags.json,
  `${JSON.stringify({ machine, disk: tmpdir(), quick: flags.quick, at: new Date().toISOString(), measures: judged }, null, 2)}\n`,
);
console.log(`\n${flags.json}`);
if (measures.some((measure) => isMet(measure) === false)) process.exitCode = 1;
