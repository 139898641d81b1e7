// Everything that is checked before a change goes in: `npm run check`, the same on a desk and in CI. Every step
// runs, also after one has failed; a table tells at the end. `--without STEP` leaves steps out.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './generated.ts';

interface Step {
  readonly name: string;
  /** What it holds up. */
  readonly about: string;
  /** A program of node_modules/.bin, or a file of ours, and its arguments. */
  readonly run: readonly [program: string, ...args: string[]];
}

const steps: readonly Step[] = [
  { name: 'format', about: 'biome: every file is formatted', run: ['biome', 'format', '.'] },
  { name: 'types', about: 'tsc: every type fits', run: ['tsc', '--noEmit'] },
  {
    name: 'plugin',
    about: 'tsc: the kubectl plugin uses nothing that Node.js 20 lacks',
    run: ['tsc', '--project', 'tsconfig.kubectl.json'],
  },
  {
    name: 'lint',
    about: 'oxlint: rules and walls hold, types considered',
    run: ['oxlint', '--type-aware', '--deny-warnings'],
  },
  {
    name: 'walls',
    about: 'each wall is tried with what it forbids',
    run: ['scripts/test.ts', 'test/walls/'],
  },
  {
    name: 'generated',
    about: 'generated files are current',
    run: ['scripts/generate.ts', '--check'],
  },
  {
    name: 'unused',
    about: 'knip: no unused file, export or dependency',
    run: ['knip', '--no-progress'],
  },
  { name: 'tests', about: 'npm test', run: ['scripts/test.ts'] },
];

function refuse(why: string): never {
  console.error(`${why}; the steps are ${steps.map(({ name }) => name).join(', ')}`);
  process.exit(64);
}

/** The steps that the arguments leave. */
function chosen(args: readonly string[]): readonly Step[] {
  const without = new Set<string>();
  for (let index = 0; index < args.length; index += 2) {
    const [flag, name] = args.slice(index, index + 2);
    if (flag !== '--without') refuse(`"${flag}" is not a flag of check`);
    if (!steps.some((step) => step.name === name)) refuse(`"${name}" is not a step`);
    without.add(name ?? '');
  }
  return steps.filter(({ name }) => !without.has(name));
}

interface Result {
  readonly step: Step;
  readonly ok: boolean;
  readonly seconds: number;
}

function runStep(step: Step): Result {
  console.log(`\n── ${step.name}: ${step.about}`);
  const [program, ...args] = step.run;
  const file = program.includes('/')
    ? join(root, program)
    : join(root, 'node_modules', '.bin', program);
  const startedMs = performance.now();
  const done = spawnSync(process.execPath, [file, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (done.error !== undefined) console.error(done.error.message);
  return { step, ok: done.status === 0, seconds: (performance.now() - startedMs) / 1000 };
}

const results = chosen(process.argv.slice(2)).map(runStep);
console.log('');
for (const { step, ok, seconds } of results) {
  console.log(
    `${ok ? 'ok  ' : 'FAIL'}  ${step.name.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s  ${step.about}`,
  );
}
const failed = results.filter(({ ok }) => !ok).length;
console.log(
  failed === 0 ? '\ncheck: all is well' : `\ncheck: ${failed} of ${results.length} steps failed`,
);
process.exitCode = failed === 0 ? 0 : 1;
