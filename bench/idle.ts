// Processor time of an agent to which nothing happens, on a machine with 1000 functions.
import { processorMs, startNode } from './children.ts';
import { scratch, startBenchAgent } from './agent.ts';
import { type Bench, pause } from './measure.ts';
import { treeFlags } from './tree.ts';

/** The bench. */
export const idle: Bench = {
  name: 'idle',
  about: 'processor time of an idle agent with 1000 functions',
  run: async ({ quick, tree, say }) => {
    await using stack = new AsyncDisposableStack();
    const folder = scratch(stack);
    const ticking = 'setInterval(() => {}, 1000)';
    const bare = stack.use(startNode(['-e', ticking], `${folder}/bare.log`));
    const agent = await startBenchAgent(stack, { kernel: treeFlags(await tree(1000)) });
    const seconds = quick ? 15 : 60;
    say('idle: waits for 15 s until the start is over');
    await pause(15_000);
    const before = [processorMs(agent.process.pid), processorMs(bare.pid)] as const;
    const startedMs = performance.now();
    await pause(seconds * 1000);
    const share = (pid: number, since: number): number =>
      ((processorMs(pid) - since) / (performance.now() - startedMs)) * 100;
    return [
      {
        ...{ name: 'idle agent, 1000 functions', unit: '%' },
        value: share(agent.process.pid, before[0]),
        floor: { what: 'Node with a timer each second', value: share(bare.pid, before[1]) },
        target: { of: 'value', max: 0.5 },
        how: `of one core over ${seconds} s, its lanes included; 200 groups offered`,
      },
    ];
  },
};
