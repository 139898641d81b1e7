// The informer against everything that can happen to it, with a real kube-apiserver behind a proxy that breaks things.
import { after, before, test } from 'node:test';
import { informerCases } from '../../cluster-client/informer-cases.ts';
import { informerDutyCases } from '../../cluster-client/informer-duty-cases.ts';
import { playRandomFaults } from '../../cluster-client/random-faults.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { realStage } from './real-stage.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer();
});
after(async () => await server[Symbol.asyncDispose]());

[...informerCases, ...informerDutyCases].forEach(({ name, run }, index) => {
  test(`informer: ${name}`, { timeout: 30_000 }, async () => {
    await using stage = await realStage(server, `case-${index}`);
    await run(stage);
  });
});

for (const seed of [101, 102, 103]) {
  test(`informer: random changes and faults, seed ${seed}`, { timeout: 60_000 }, async () => {
    await using stage = await realStage(server, `random-${seed}`);
    await playRandomFaults(stage, seed, 150);
  });
}
