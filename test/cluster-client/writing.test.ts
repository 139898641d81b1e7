// Objects, Events and leases, on the small server.
import { suite, test } from 'node:test';
import { electionCases } from './election-cases.ts';
import { eventCases } from './event-cases.ts';
import { smallStage } from './stage.ts';
import { writerCases } from './writer-cases.ts';

const groups = { writer: writerCases, events: eventCases, election: electionCases };
for (const [group, cases] of Object.entries(groups)) {
  // Mostly they wait: for leases to run out, for series to be quiet.
  suite(group, { concurrency: 4 }, () => {
    for (const { name, run } of cases) {
      test(`${group}: ${name}`, { timeout: 20_000 }, async () => {
        await using stage = await smallStage();
        await run(stage);
      });
    }
  });
}
