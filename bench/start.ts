// From the start of the process until the kubelet has accepted its registration: the bundle, against Node itself.
import { spawnSync } from 'node:child_process';
import { resource, startBenchAgent } from './agent.ts';
import { type Bench, functionsOf64Groups, median, timed } from './measure.ts';
import { treeFlags } from './tree.ts';

/** The bench. */
export const start: Bench = {
  name: 'start',
  about: 'start of the bundled agent until it is registered',
  run: async ({ quick, tree }) => {
    const roots = await tree(functionsOf64Groups);
    const samples: number[] = [];
    const floors: number[] = [];
    for (let index = 0; index < (quick ? 3 : 15); index++) {
      floors.push(await timed(() => spawnSync(process.execPath, ['-e', '0'])));
      await using stack = new AsyncDisposableStack();
      const { kubelet, startedMs } = await startBenchAgent(stack, { kernel: treeFlags(roots) });
      samples.push((kubelet.registeredAtMs(resource) ?? Number.NaN) - startedMs);
    }
    return [
      {
        ...{ name: 'start to registered', value: median(samples), unit: 'ms' },
        floor: { what: 'Node starts and ends', value: median(floors) },
        target: { of: 'value', max: 500 },
        how: `median of ${samples.length}, 64 groups, ${functionsOf64Groups} functions on tmpfs`,
      },
    ];
  },
};
