// The informer against everything that can happen to it, on the small server.
import { test } from 'node:test';
import { informerCases } from './informer-cases.ts';
import { informerDutyCases } from './informer-duty-cases.ts';
import { smallStage } from './stage.ts';

for (const { name, run } of [...informerCases, ...informerDutyCases]) {
  test(`informer: ${name}`, { timeout: 20_000 }, async () => {
    await using stage = await smallStage();
    await run(stage);
  });
}
