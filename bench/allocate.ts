// Allocate on a group that is claimed and waits for a pod, against an echo by grpc-js on a unix socket: agent and
// echo are processes of their own, and are called in turn by the same client.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resource, scratch, startBenchAgent } from './agent.ts';
import { startNode } from './children.ts';
import { EchoClient } from './echo.ts';
import type { BenchKubelet, Plugin } from './kubelet.ts';
import { type Bench, functionsOf64Groups, median, pause, timed, until } from './measure.ts';
import { serveMachine } from './served.ts';

const groups = 64;
/** As long as the request of one device. */
const requestBytes = Buffer.alloc(16, 'x');

async function startEcho(stack: AsyncDisposableStack): Promise<EchoClient> {
  const folder = scratch(stack);
  const socketPath = join(folder, 'echo.sock');
  const program = join(import.meta.dirname, 'echo.ts');
  const process = stack.use(startNode([program, socketPath], join(folder, 'echo.log')));
  await Promise.race([until('the echo listens', () => existsSync(socketPath)), process.ended]);
  const client = stack.use(new EchoClient(socketPath));
  await client.echo(requestBytes);
  return client;
}

/** Ends the leases as pods do: each device is listed, then not any more. */
async function endLeases(kubelet: BenchKubelet, ids: readonly string[]): Promise<void> {
  for (const id of ids) kubelet.hold(resource, id, true);
  await pause(2200);
  for (const id of ids) kubelet.hold(resource, id, false);
  await pause(4500);
}

/** The bench. */
export const allocate: Bench = {
  name: 'allocate',
  about: 'Allocate on claimed groups',
  run: async ({ quick, say }) => {
    await using stack = new AsyncDisposableStack();
    const socketPath = await serveMachine(stack, functionsOf64Groups);
    const echo = await startEcho(stack);
    const kernel = ['--kernel', `unix://${socketPath}`];
    const { kubelet } = await startBenchAgent(stack, { kernel, binding: 'Eager' });
    const plugin: Plugin = kubelet.plugin(resource);
    await plugin.listen();
    await until('all groups are offered', () => plugin.healthy.size === groups);
    say('allocate: waits until every group is claimed');
    await pause(10_000);
    const samples: number[] = [];
    const floors: number[] = [];
    const rounds = quick ? 2 : 8;
    for (let round = 0; round < rounds; round++) {
      const ids = [...plugin.healthy];
      if (ids.length !== groups) throw new Error(`${ids.length} groups are offered`);
      for (const id of ids) {
        floors.push(await timed(() => echo.echo(requestBytes)));
        samples.push(await timed(() => plugin.allocate(id)));
        // The lease becomes durable beside the answer; the next call should not find that still going on.
        await pause(10);
      }
      await endLeases(kubelet, ids);
    }
    return [
      {
        ...{ name: 'Allocate p50, claimed group', value: median(samples), unit: 'ms' },
        floor: { what: 'echo by grpc-js', value: median(floors) },
        target: { of: 'ratio', max: 1.5 },
        how: `${samples.length} calls in turn with the echo, 64 groups claimed ahead`,
      },
    ];
  },
};
