// Garbage of the start: collected once, later.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import { collectStartGarbage } from '../../src/cli/start-garbage.ts';
import { agentNodeFlags } from '../../scripts/agent-flags.ts';

const drain = (): Promise<void> => Promise.resolve();

test('what the start left behind is collected once, when the start is long over', async () => {
  const clock = new VirtualClock();
  let collected = 0;
  collectStartGarbage(clock, () => (collected += 1));
  await advance(clock, 10_000, drain);
  assert.equal(collected, 0);
  await advance(clock, 3_600_000, drain);
  assert.equal(collected, 1);
});

test('an agent that was stopped before has nothing collected', async () => {
  const clock = new VirtualClock();
  let collected = 0;
  collectStartGarbage(clock, () => (collected += 1))?.clear();
  await advance(clock, 60_000, drain);
  assert.equal(collected, 0);
});

test('without the flag that gives the collector out nothing is set', () => {
  assert.equal(collectStartGarbage(new VirtualClock(), undefined), null);
});

test('the agent is shipped with that flag', () => {
  assert.ok(agentNodeFlags.includes('--expose-gc'));
});
