// Garbage of an agent that has nothing to do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentNodeFlags } from '../../scripts/agent-flags.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import { collectWhenIdle } from '../../src/cli/idle-garbage.ts';

const drain = (): Promise<void> => Promise.resolve();

function counted() {
  const clock = new VirtualClock();
  const seen = { count: 0 };
  const timer = collectWhenIdle(clock, () => {
    seen.count += 1;
  });
  return { clock, seen, timer };
}

test('what the start left behind is collected when it is long over, and then twelve times an hour', async () => {
  const { clock, seen } = counted();
  await advance(clock, 19_000, drain);
  assert.equal(seen.count, 0);
  await advance(clock, 2000, drain);
  assert.equal(seen.count, 1);
  await advance(clock, 3_600_000, drain);
  assert.equal(seen.count, 13);
});

test('an agent that was stopped has nothing collected, before the first time or after it', async () => {
  for (const passedMs of [10_000, 30_000]) {
    const { clock, seen, timer } = counted();
    await advance(clock, passedMs, drain);
    const before = seen.count;
    timer.clear();
    await advance(clock, 3_600_000, drain);
    assert.equal(seen.count, before);
  }
});

test('without the flag that gives the collector out no timer is set', () => {
  const clock = new VirtualClock();
  collectWhenIdle(clock, undefined);
  assert.equal(clock.nextAtMs(), null);
});

test('the agent is shipped with that flag', () => {
  assert.ok(agentNodeFlags.includes('--expose-gc'));
});
