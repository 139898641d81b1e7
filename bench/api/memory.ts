// Memory of an agent that offers 64 groups and keeps them as objects of a real API server: what its informers cost.
import { residentMb } from '../children.ts';
import { startBenchAgent } from '../agent.ts';
import { type Bench, functionsOf64Groups, median, pause } from '../measure.ts';
import { treeFlags } from '../tree.ts';
import { until } from '../../test/api/support/waiting.ts';
import { benchServer } from './stage.ts';

/** The bench. */
export const apiMemory: Bench = {
  name: 'api-memory',
  about: 'resident memory of an agent with 64 groups and its informers',
  onlyByName: true,
  run: async ({ quick, tree }) => {
    await using stack = new AsyncDisposableStack();
    const server = await benchServer(stack);
    const token = await server.tokenFor({ serviceAccount: 'wholegroup-agent', node: 'bench' });
    const kernel = treeFlags(await tree(functionsOf64Groups));
    const flags = [...kernel, '--kubeconfig', server.kubeconfigFor(token)];
    const agent = await startBenchAgent(stack, { kernel: flags });
    await until('64 objects', async () => {
      const { stdout } = await server.kubectl(['get', 'ig', '-o', 'name']);
      return stdout.trim().split('\n').length === 64;
    });
    const seconds = quick ? 5 : 70;
    await pause(seconds * 1000);
    const samples: number[] = [];
    for (let index = 0; index < 5; index++) {
      samples.push(residentMb(agent.process.pid));
      await pause(200);
    }
    return [
      {
        ...{ name: 'agent RSS at 64 groups with informers', unit: 'MB', floor: null },
        value: median(samples),
        target: { of: 'value', max: 100 },
        how: `${seconds} s after its 64 objects were there`,
      },
    ];
  },
};
