// A real API server for a bench, with everything of deploy/ in it.
import { type ApiServer, startApiServer } from '../../test/api/support/api-server.ts';

/** The server; it ends with the stack. */
export async function benchServer(stack: AsyncDisposableStack): Promise<ApiServer> {
  const server = stack.use(await startApiServer());
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac']) await server.apply(path);
  return server;
}
