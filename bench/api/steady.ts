// Ten minutes in which nothing happens: what agent and controller write all the same.
import { steadyState } from '../../test/api/agent/steady-state.ts';
import type { Bench } from '../measure.ts';
import { bundled } from '../bundled.ts';
import { benchServer } from './stage.ts';

/** The bench. */
export const apiSteady: Bench = {
  name: 'api-steady',
  about: 'writes to a real API server while nothing happens',
  onlyByName: true,
  run: async ({ quick, say }) => {
    await using stack = new AsyncDisposableStack();
    const server = await benchServer(stack);
    const seconds = quick ? 30 : 600;
    say(`api-steady: settles, then waits for ${seconds} s`);
    const { agent, controller, leaseUpdates, reads } = await steadyState(
      server,
      seconds,
      bundled(),
    );
    const how = `audit log over ${seconds} s; ${leaseUpdates} updates of the Lease, ${reads} reads (watches renewed)`;
    const target = { of: 'value', max: 0 } as const;
    const common = { unit: 'writes', floor: null, target, how } as const;
    return [
      { name: 'agent, nothing happens', value: agent.length, ...common },
      {
        name: 'controller, nothing happens, without its Lease',
        value: controller.length,
        ...common,
      },
    ];
  },
};
