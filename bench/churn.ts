// Allocate while 63 groups come and go: each is allocated, claimed, started, left, given back and allocated again, all
// of them at the same time, on a served machine. Two numbers: of a 64th group that is claimed and stays so, and of
// those that move, each of which is looked at anew before the answer.
import { resource, startBenchAgent } from './agent.ts';
import type { BenchKubelet, Plugin } from './kubelet.ts';
import {
  type Bench,
  functionsOf64Groups,
  median,
  pause,
  percentile,
  timed,
  until,
} from './measure.ts';
import { serveMachine } from './served.ts';

/**
 * Groups that are taken each second, and as many that are given back: more than the pods that a kubelet starts (some ten a
 * second at its best), all of them with a device.
 */
const startsPerSecond = 8;
/** Long enough to be listed once. */
const heldMs = 1500;

interface Churn {
  readonly kubelet: BenchKubelet;
  readonly plugin: Plugin;
  readonly endMs: number;
  readonly samplesMs: number[];
  starts: number;
  refusals: number;
}

/** One group's life, over and over, beginning every `lifeMs`. */
async function live(
  churn: Churn,
  id: string,
  { offsetMs, lifeMs }: { readonly offsetMs: number; readonly lifeMs: number },
): Promise<void> {
  const { kubelet, plugin } = churn;
  await pause(offsetMs);
  while (performance.now() < churn.endMs) {
    const startedMs = performance.now();
    try {
      await plugin.allocate(id);
    } catch {
      // Still held: the kubelet's lists have to say twice that the last pod is gone.
      churn.refusals += 1;
      await pause(250);
      continue;
    }
    churn.samplesMs.push(performance.now() - startedMs);
    kubelet.hold(resource, id, true);
    await plugin.preStart(id);
    churn.starts += 1;
    await pause(heldMs);
    kubelet.hold(resource, id, false);
    await pause(lifeMs - (performance.now() - startedMs));
  }
}

/** A group that was taken and has not started yet is asked for again and again, as by a pod with several containers. */
async function ask(churn: Churn, id: string): Promise<readonly number[]> {
  const samplesMs: number[] = [];
  while (performance.now() < churn.endMs) {
    samplesMs.push(await timed(() => churn.plugin.allocate(id)));
    await pause(25);
  }
  return samplesMs;
}

/** The bench. */
export const churn: Bench = {
  name: 'churn',
  about: 'Allocate while 64 groups are claimed and given back',
  run: async ({ quick }) => {
    await using stack = new AsyncDisposableStack();
    const socketPath = await serveMachine(stack, functionsOf64Groups);
    const { kubelet, process } = await startBenchAgent(stack, {
      kernel: ['--kernel', `unix://${socketPath}`],
    });
    const plugin = kubelet.plugin(resource);
    await plugin.listen();
    await until('all groups are offered', () => plugin.healthy.size === 64);
    const seconds = quick ? 15 : 60;
    const endMs = performance.now() + seconds * 1000;
    const state: Churn = { kubelet, plugin, endMs, samplesMs: [], starts: 0, refusals: 0 };
    const [claimed = '', ...ids] = [...plugin.healthy];
    const lifeMs = (1000 * ids.length) / startsPerSecond;
    const lives = ids.map((id, index) =>
      live(state, id, { offsetMs: (index * lifeMs) / ids.length, lifeMs }),
    );
    const asked = ask(state, claimed);
    await Promise.race([Promise.all(lives), process.ended]);
    const { samplesMs, starts, refusals } = state;
    const claimedMs = await asked;
    const told = (samples: readonly number[]): string =>
      `${samples.length} calls in ${seconds} s (p50 ${median(samples).toFixed(1)} ms)`;
    return [
      {
        name: 'Allocate p99, claimed group, 63 churn',
        ...{ value: percentile(claimedMs, 0.99), unit: 'ms', floor: null },
        target: { of: 'value', max: 10 },
        how: told(claimedMs),
      },
      {
        name: 'Allocate p99, the groups that churn',
        ...{ value: percentile(samplesMs, 0.99), unit: 'ms', floor: null },
        target: { of: 'value', max: 10 },
        how: `${told(samplesMs)}, ${starts} starts, ${refusals} refusals`,
      },
    ];
  },
};
