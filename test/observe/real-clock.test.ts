import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../src/base/clock.ts';
import { realClock } from '../../src/observe/real-clock.ts';

test('the real clock goes forward, fires once after the delay, and not when cleared', async () => {
  const clock = realClock();
  const before = clock.monotonicMs();
  let cleared = true;
  clock.after(5, () => (cleared = false)).clear();
  assert.equal(await sleep(clock, 20), true);
  assert(clock.monotonicMs() - before >= 19);
  assert.equal(cleared, true);
  assert(Math.abs(clock.wallMs() - Date.now()) < 1000);
});

test('the real clock never fires within the call, nor at once for a delay of months', async () => {
  const clock = realClock();
  const fired: string[] = [];
  clock.after(0, () => fired.push('now'));
  const months = clock.after(1e10, () => fired.push('months'));
  assert.deepEqual(fired, []);
  await sleep(clock, 20);
  months.clear();
  assert.deepEqual(fired, ['now']);
});
