// A made machine served by a process of its own, for benches in which groups are really taken and given back.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from './agent.ts';
import { startNode } from './children.ts';
import { until } from './measure.ts';

/** Serves a machine of so many functions; the socket's path. It ends with `stack`. */
export async function serveMachine(
  stack: AsyncDisposableStack,
  functions: number,
): Promise<string> {
  const folder = scratch(stack);
  const socketPath = join(folder, 'sim.sock');
  const program = join(import.meta.dirname, 'sim.ts');
  const sim = stack.use(
    startNode([program, String(functions), socketPath], join(folder, 'sim.log')),
  );
  await Promise.race([until('the machine is served', () => existsSync(socketPath)), sim.ended]);
  return socketPath;
}
