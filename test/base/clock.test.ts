import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, withDeadline } from '../../src/base/clock.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';

const drain = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('timers fire in order of their time, then of their setting', async () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  clock.after(20, () => fired.push('late'));
  clock.after(10, () => fired.push('first'));
  clock.after(10, () => fired.push('second'));
  await advance(clock, 30, drain);
  assert.deepEqual(fired, ['first', 'second', 'late']);
  assert.equal(clock.monotonicMs(), 30);
});

test('a cleared timer does not fire, and clearing twice is harmless', async () => {
  const clock = new VirtualClock();
  const timer = clock.after(5, () => assert.fail('fired'));
  timer.clear();
  timer.clear();
  await advance(clock, 10, drain);
});

test('promise chains settle between timers', async () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  void (async () => {
    await sleep(clock, 10);
    seen.push(clock.monotonicMs());
    await sleep(clock, 10);
    seen.push(clock.monotonicMs());
  })();
  await advance(clock, 100, drain);
  assert.deepEqual(seen, [10, 20]);
});

test('a wall clock that jumps moves no deadline', async () => {
  const clock = new VirtualClock(1000);
  let fired = false;
  clock.after(50, () => (fired = true));
  clock.jumpWall(3_600_000);
  assert.equal(clock.wallMs(), 3_601_000);
  assert.equal(fired, false);
  await advance(clock, 50, drain);
  assert.equal(fired, true);
});

test('a sleep ends at once with false when its signal is aborted', async () => {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const slept = sleep(clock, 1000, abort.signal);
  abort.abort();
  assert.equal(await slept, false);
  assert.equal(await sleep(clock, 1000, abort.signal), false);
  assert.equal(clock.nextAtMs(), null);
});

test('a deadline turns work into late work whose answer is still delivered', async () => {
  const clock = new VirtualClock();
  let finish: (value: string) => void = () => undefined;
  const work = new Promise<string>((resolve) => (finish = resolve));
  const waiting = withDeadline(clock, 100, work);
  await advance(clock, 100, drain);
  const outcome = await waiting;
  assert.equal(outcome.kind, 'late');
  finish('answer');
  assert.equal(outcome.kind === 'late' ? await outcome.settles : null, 'answer');
});

test('work that is done in time leaves no timer behind', async () => {
  const clock = new VirtualClock();
  const outcome = await withDeadline(clock, 100, Promise.resolve(7));
  assert.deepEqual(outcome, { kind: 'settled', value: 7 });
  assert.equal(clock.nextAtMs(), null);
});
