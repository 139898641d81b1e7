// From a change on the host to the list that the kubelet gets: graphics cards are pulled out one after the other, first
// with hints, then with every uevent lost, so that only the poll can find it.
import { connectControl } from '../src/kernel/remote/remote-control.ts';
import { realClock } from '../src/observe/real-clock.ts';
import { resource, startBenchAgent } from './agent.ts';
import type { Plugin } from './kubelet.ts';
import { type Bench, functionsOf64Groups, median, pause, percentile, until } from './measure.ts';
import { serveMachine } from './served.ts';

const withHints = 40;
const withoutHints = 20;

/** Milliseconds until the list does not offer `id` any more. */
async function withdrawn(
  plugin: Plugin,
  id: string,
  pull: () => Promise<unknown>,
): Promise<number> {
  const gone = new Promise<number>((resolve) => {
    plugin.onList = () => {
      if (!plugin.healthy.has(id)) resolve(performance.now());
    };
  });
  const pulledAtMs = performance.now();
  await pull();
  return (await gone) - pulledAtMs;
}

/** The bench. */
export const push: Bench = {
  name: 'push',
  about: 'from a change on the host to the list that the kubelet gets',
  run: async ({ quick }) => {
    await using stack = new AsyncDisposableStack();
    const socketPath = await serveMachine(stack, functionsOf64Groups);
    const control = await connectControl(socketPath, realClock());
    stack.defer(() => control.close());
    const { kubelet } = await startBenchAgent(stack, {
      kernel: ['--kernel', `unix://${socketPath}`],
    });
    const plugin = kubelet.plugin(resource);
    await plugin.listen();
    await until('all groups are offered', () => plugin.healthy.size === 64);
    const ids = [...plugin.healthy];
    const measure = async (count: number): Promise<readonly number[]> => {
      const samplesMs: number[] = [];
      for (const id of ids.splice(0, quick ? 10 : count)) {
        // At another moment of the poll's second each time.
        await pause(1100 + ((samplesMs.length * 137) % 1000));
        const pull = () => control.performNamed('hotRemove', { address: id });
        samplesMs.push(await withdrawn(plugin, id, pull));
      }
      return samplesMs;
    };
    const hinted = await measure(withHints);
    await control.performNamed('injectFault', { fault: { kind: 'uevent-loss', chance: 1 } });
    const polled = await measure(withoutHints);
    const how = (samples: readonly number[]): string =>
      `${samples.length} functions pulled out (p50 ${median(samples).toFixed(1)} ms)`;
    return [
      {
        name: 'change to ListAndWatch p99, with hints',
        ...{ value: percentile(hinted, 0.99), unit: 'ms', floor: null },
        ...{ target: { of: 'value', max: 50 }, how: how(hinted) },
      },
      {
        name: 'change to ListAndWatch p99, by poll',
        ...{ value: percentile(polled, 0.99), unit: 'ms', floor: null },
        ...{ target: { of: 'value', max: 1200 }, how: how(polled) },
      },
    ];
  },
};
