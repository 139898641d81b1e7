// Calls, objects, Events and leases, with a real kube-apiserver behind a proxy that breaks things.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { callCases } from '../../cluster-client/call-cases.ts';
import { electionCases } from '../../cluster-client/election-cases.ts';
import { eventCases } from '../../cluster-client/event-cases.ts';
import { writerCases } from '../../cluster-client/writer-cases.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { probeDefinition } from './probe-definition.ts';
import { realStage } from './real-stage.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer();
  const run = await server.kubectl(['apply', '-f', '-'], { input: probeDefinition });
  assert.equal(run.status, 0, run.stderr);
  const crd = 'crd/probes.test.wholegroup.dev';
  const wait = await server.kubectl(['wait', '--for=condition=Established', '--timeout=20s', crd]);
  assert.equal(wait.status, 0, wait.stderr);
});
after(async () => await server[Symbol.asyncDispose]());

const groups = {
  client: callCases,
  writer: writerCases,
  events: eventCases,
  election: electionCases,
};
for (const [group, cases] of Object.entries(groups)) {
  cases.forEach(({ name, run }, index) => {
    test(`${group}: ${name}`, { timeout: 30_000 }, async () => {
      await using stage = await realStage(server, `${group}-${index}`);
      await run(stage);
    });
  });
}
