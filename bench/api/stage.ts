// A real API server for a bench, with everything of deploy/ in it, and the bundle as the program to be measured.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { agentNodeFlags } from '../../scripts/agent-flags.ts';
import { type ApiServer, startApiServer } from '../../test/api/support/api-server.ts';
import { root } from '../children.ts';

/** What starts the bundle: arguments of Node.js. */
export function bundled(): readonly string[] {
  const main = join(root, 'dist', 'main.js');
  if (!existsSync(main)) throw new Error('there is no bundle: npm run bundle');
  return [...agentNodeFlags, main];
}

/** The server; it ends with the stack. */
export async function benchServer(stack: AsyncDisposableStack): Promise<ApiServer> {
  const server = stack.use(await startApiServer());
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac']) await server.apply(path);
  return server;
}
