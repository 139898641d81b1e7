// A minute in which nothing happens. `npm run bench -- --only api-steady` is the same for ten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApiServer } from '../support/api-server.ts';
import { steadyState } from './steady-state.ts';

test('a steady state writes nothing: not the agent, not the controller but for its Lease', async () => {
  await using server = await startApiServer();
  await server.applyDefinitions();
  for (const path of ['deploy/namespace.yaml', 'deploy/rbac', 'deploy/admission'])
    await server.apply(path);
  const { agent, controller, leaseUpdates } = await steadyState(server, 60);
  assert.deepEqual([agent, controller], [[], []]);
  // Every two seconds: the leader lives, and the count counts.
  assert.ok(leaseUpdates >= 20 && leaseUpdates <= 40, `${leaseUpdates} updates of the Lease`);
});
