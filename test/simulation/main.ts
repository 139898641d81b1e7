// `npm run simulate -- --steps N [--seed N] [--world N]`: the seeded simulation, as long as you like.
import { parseArgs } from 'node:util';
import { createLog } from '../../src/observe/log.ts';
import { runSeed, shrink } from './simulate.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100000' },
    world: { type: 'string', default: '150' },
    seed: { type: 'string' },
    log: { type: 'boolean', default: false },
    progress: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name} "${text}": must be a whole number above 0`);
  process.exit(64);
}

const steps = whole('steps', values.steps);
const perWorld = whole('world', values.world);
const first = values.seed === undefined ? Date.now() % 1_000_000_000 : whole('seed', values.seed);
const log = values.log ? createLog({ level: 'debug', destination: 2 }) : undefined;
const options = { steps: perWorld, ...(log === undefined ? {} : { log }) };
console.log(`simulation: first seed ${first}, ${perWorld} steps a world`);
let done = 0;
const startedMs = performance.now();
for (let seed = first; done < steps; seed++) {
  const result = await runSeed(seed, options);
  done += result.steps;
  if (result.failure !== null) {
    console.log(`\nseed ${seed} failed after ${result.steps} steps: ${result.failure.message}`);
    const small = values['no-shrink'] ? result : await shrink(result, { steps: perWorld });
    console.log(`the ${small.actions.length} steps that matter: ${small.failure?.message}`);
    for (const action of small.actions) console.log(`  ${JSON.stringify(action)}`);
    console.log(small.failure?.stack);
    console.log(`replay: npm run simulate -- --seed ${seed} --steps 1 --world ${perWorld}`);
    process.exit(1);
  }
  if (values.seed !== undefined && steps <= perWorld) break;
  if (process.stdout.isTTY) process.stdout.write(`\r${done} of ${steps} steps`);
  else if (values.progress) console.log(`seed ${seed}: ${done} steps`);
}
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`\n${done} steps in ${seconds} s: the rule held`);
