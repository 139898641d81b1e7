// Runs worlds: random actions under a seed, the rule checked after each, and at the end a node that is left
// alone must have given everything back. A failing run is shrunk to the actions that matter.
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Log } from '../../src/base/log.ts';
import { type Action, chooseAction } from './actions.ts';
import { heal, perform, stageOf } from './perform.ts';
import type { Rule } from './checker.ts';
import type { Slowness } from './lifeline.ts';
import { randomMachine } from './machines.ts';
import { randomPolicies } from './policies.ts';
import { type Mutation, World } from './world.ts';

/** How a run is made. */
export interface RunOptions {
  readonly steps: number;
  readonly mutation?: (nowMs: () => number) => Mutation;
  readonly rules?: readonly Rule[];
  readonly log?: Log;
}

/** What came of a run. */
export interface RunResult {
  readonly seed: number;
  readonly steps: number;
  readonly actions: readonly Action[];
  readonly failure: Error | null;
}

/** Every other machine answers now and then with a delay, so that what else happens gets in between two calls. */
function slowness(random: Random): Slowness | undefined {
  if (random.chance(0.5)) return undefined;
  return () => (random.chance(0.05) ? 1 + random.below(30) : 0);
}

function worldOf(seed: number, options: RunOptions): World {
  const random = seededRandom(seed).fork('world');
  const slow = slowness(random.fork('slowness'));
  return new World({
    seed,
    spec: randomMachine(random.fork('machine')),
    policies: randomPolicies(random.fork('policies')),
    ...(slow === undefined ? {} : { slowness: slow }),
    delivery: random.pick(['cdi', 'cdi', 'device-nodes'] as const),
    ...(options.mutation === undefined ? {} : { mutation: options.mutation }),
    ...(options.rules === undefined ? {} : { rules: options.rules }),
    ...(options.log === undefined ? {} : { log: options.log }),
  });
}

/** Replays actions in the world of a seed. */
async function replay(
  seed: number,
  actions: readonly Action[],
  options: RunOptions,
): Promise<RunResult> {
  const world = worldOf(seed, options);
  const stage = stageOf(world);
  let done = 0;
  try {
    world.kubelet.start();
    world.startAgent();
    await world.run(2_000);
    for (const action of actions) {
      await perform(stage, action);
      await world.run(seededRandom(seed + done).pick([0, 1, 5, 50, 500]));
      // An agent that died is started again sooner or later, as the kubelet would do.
      if (!world.agentLives && done % 4 === 3) world.startAgent();
      done += 1;
    }
    await converge(stage);
    return { seed, steps: done, actions, failure: null };
  } catch (problem) {
    const failure = problem instanceof Error ? problem : new Error(String(problem));
    return { seed, steps: done, actions: actions.slice(0, done + 1), failure };
  } finally {
    world.killAgent();
  }
}

async function converge(stage: ReturnType<typeof stageOf>): Promise<void> {
  const { world } = stage;
  await heal(stage);
  for (const pod of world.kubelet.pods()) world.kubelet.deletePod(pod.uid, { graceMs: 0 });
  world.policies = [];
  world.agent?.setPolicies([]);
  for (let minute = 0; minute < 6 && world.records().length > 0; minute++) await world.run(60_000);
  const left = world.records().map((record) => `${record.leader} ${record.phase}`);
  const views = world.agent?.views().map((view) => `${view.leader}: ${view.phase}, ${view.why}`);
  if (left.length > 0) {
    throw new Error(`liveness: never given back: ${left.join('; ')} (${views?.join('; ')})`);
  }
}

/** One run of random actions. */
export function runSeed(seed: number, options: RunOptions): Promise<RunResult> {
  const random = seededRandom(seed).fork('actions');
  const actions = Array.from({ length: options.steps }, () => chooseAction(random));
  return replay(seed, actions, options);
}

function ruleOf(failure: Error): string {
  return failure.message.slice(0, failure.message.indexOf(':'));
}

/** Leaves out actions, ever smaller pieces, as long as the same line of the rule still breaks. */
export async function shrink(failed: RunResult, options: RunOptions): Promise<RunResult> {
  let best = failed;
  if (failed.failure === null) return best;
  const rule = ruleOf(failed.failure);
  for (let size = Math.ceil(best.actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.actions.length; ) {
      const actions = [...best.actions.slice(0, at), ...best.actions.slice(at + size)];
      const tried = await replay(failed.seed, actions, options);
      if (tried.failure !== null && ruleOf(tried.failure) === rule) best = tried;
      else at += size;
    }
  }
  return best;
}
