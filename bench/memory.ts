// Memory of an agent that offers 64 groups, against Node with nothing to do.
import { residentMb, startNode } from './children.ts';
import { scratch, startBenchAgent } from './agent.ts';
import { type Bench, functionsOf64Groups, median, pause } from './measure.ts';
import { treeFlags } from './tree.ts';

async function settledMb(pid: number, seconds: number): Promise<number> {
  await pause(seconds * 1000);
  const samples: number[] = [];
  for (let index = 0; index < 5; index++) {
    samples.push(residentMb(pid));
    await pause(200);
  }
  return median(samples);
}

/** The bench. */
export const memory: Bench = {
  name: 'memory',
  about: 'resident memory of an agent with 64 groups',
  run: async ({ quick, tree }) => {
    await using stack = new AsyncDisposableStack();
    const folder = scratch(stack);
    const bare = stack.use(startNode(['-e', 'setInterval(() => {}, 1000)'], `${folder}/bare.log`));
    const agent = await startBenchAgent(stack, {
      kernel: treeFlags(await tree(functionsOf64Groups)),
    });
    const seconds = quick ? 5 : 70;
    const value = await settledMb(agent.process.pid, seconds);
    return [
      {
        ...{ name: 'agent RSS at 64 groups', value, unit: 'MB' },
        floor: { what: 'bare Node', value: residentMb(bare.pid) },
        target: { of: 'ratio', max: 2 },
        how: `${seconds} s after it registered, ${functionsOf64Groups} functions, kernel/linux on tmpfs`,
      },
    ];
  },
};
