// Single calls of the client, on the small server.
import { test } from 'node:test';
import { callCases } from './call-cases.ts';
import { smallStage } from './stage.ts';

for (const { name, run } of callCases) {
  test(`client: ${name}`, { timeout: 20_000 }, async () => {
    await using stage = await smallStage();
    await run(stage);
  });
}
