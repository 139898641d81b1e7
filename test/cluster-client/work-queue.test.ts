// The work queue in virtual time.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import { type RunOutcome, WorkQueue, type WorkQueueOptions } from '../../src/cluster/work-queue.ts';
import { keptLog } from './stage.ts';

const drain = (): Promise<void> => setImmediate();

/** A queue in virtual time whose runs are written down as `key@ms`. */
function rig(
  run: (key: string, nth: number) => RunOutcome | Promise<RunOutcome>,
  options: Partial<WorkQueueOptions> = {},
) {
  const clock = new VirtualClock();
  const log = keptLog();
  const runs: string[] = [];
  const queue = new WorkQueue({
    ...{ name: 'test', clock, log, random: seededRandom(3) },
    run: async (key) => {
      runs.push(`${key}@${Math.round(clock.monotonicMs())}`);
      return await run(key, runs.filter((each) => each.startsWith(`${key}@`)).length);
    },
    ...options,
  });
  const over = new AbortController();
  const running = queue.run(over.signal);
  const pass = (ms: number): Promise<void> => advance(clock, ms, drain);
  return { clock, log, runs, queue, pass, stop: () => over.abort(), running };
}

const done: RunOutcome = { kind: 'done' };

test('queue: what is added while it waits is merged', async () => {
  const { queue, runs, pass } = rig(() => done, { concurrency: 1 });
  for (let times = 0; times < 5; times++) queue.add('a');
  await pass(0);
  // The first add runs at once; those that came while it ran are one more run.
  assert.deepEqual(runs, ['a@0', 'a@0']);
  assert.equal(queue.size, 0);
});

test('queue: a key never runs twice at the same time, and what came meanwhile runs once more', async () => {
  const gates: (() => void)[] = [];
  let [inside, most] = [0, 0];
  const { queue, runs, pass } = rig(async () => {
    most = Math.max(most, ++inside);
    await new Promise<void>((resolve) => gates.push(resolve));
    inside--;
    return done;
  });
  queue.add('a');
  for (let times = 0; times < 10; times++) {
    queue.add('a');
    await pass(10);
  }
  gates[0]?.();
  await pass(0);
  gates[1]?.();
  await pass(100);
  assert.deepEqual([runs.length, most, queue.size], [2, 1, 0]);
});

test('queue: different keys run beside each other, up to the limit', async () => {
  const gates: (() => void)[] = [];
  const hold = (): Promise<RunOutcome> => new Promise((resolve) => gates.push(() => resolve(done)));
  const { queue, runs, pass } = rig(hold, { concurrency: 2 });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await pass(0);
  assert.deepEqual(runs, ['a@0', 'b@0']);
  gates[0]?.();
  await pass(0);
  assert.equal(runs.length, 3);
});

test('queue: failures come back later and later, a success begins anew', async () => {
  const failed: RunOutcome = { kind: 'failed', why: 'no' };
  const limits = { baseMs: 100, capMs: 1000 };
  const { queue, runs, pass } = rig((_key, nth) => (nth < 6 ? failed : done), { backoff: limits });
  queue.add('a');
  await pass(10_000);
  assert.equal(runs.length, 6);
  const times = runs.map((run) => Number(run.slice(2)));
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  [100, 200, 400, 800, 1000].forEach((longest, index) => {
    const gap = gaps[index] ?? 0;
    assert(gap >= longest / 2 - 1 && gap <= longest + 1, gaps.join(' '));
  });
  assert.equal(queue.size, 0);
});

test('queue: an add ends the growing wait, but not one that the server asked for', async () => {
  const outcomes: readonly RunOutcome[] = [
    { kind: 'failed', why: 'no' },
    { kind: 'failed', why: 'later', atLeastMs: 5000 },
    done,
  ];
  const { queue, runs, pass } = rig((_key, nth) => outcomes[nth - 1] ?? done, {
    backoff: { baseMs: 10_000, capMs: 10_000 },
  });
  queue.add('a');
  await pass(1);
  queue.add('a');
  await pass(1);
  queue.add('a');
  await pass(20_000);
  assert.deepEqual(runs, ['a@0', 'a@1', 'a@5001']);
});

test('queue: a throw is a failure of that key alone', async () => {
  const { queue, runs, log, pass } = rig((key, nth) => {
    if (key === 'bad' && nth === 1) throw new Error('thrown');
    return done;
  });
  queue.add('bad');
  queue.add('good');
  await pass(1000);
  const count = (key: string): number => runs.filter((run) => run.startsWith(`${key}@`)).length;
  assert.deepEqual([count('bad'), count('good')], [2, 1]);
  assert.equal(log.lines.filter((line) => line.includes('cluster-work-threw')).length, 1);
});

test('queue: `again` runs later, once, and an add brings it forward', async () => {
  const { queue, runs, pass } = rig((_key, nth) =>
    nth === 1 ? { kind: 'again', afterMs: 1000 } : done,
  );
  queue.add('a');
  await pass(100);
  queue.add('a');
  await pass(5000);
  assert.deepEqual(runs, ['a@0', 'a@100']);
});

test('queue: addAfter runs once, later, and not at all when something sooner comes', async () => {
  const { queue, runs, pass } = rig(() => done);
  queue.addAfter('a', 1000);
  queue.addAfter('a', 2000);
  queue.addAfter('b', 1000);
  await pass(500);
  queue.add('b');
  await pass(5000);
  assert.deepEqual(runs, ['b@500', 'a@1000']);
});

test('queue: the rate of all runs is limited after the burst', async () => {
  const { queue, runs, pass } = rig(() => done, {
    rate: { perSecond: 10, burst: 5 },
    concurrency: 99,
  });
  for (let key = 0; key < 25; key++) queue.add(`k${key}`);
  await pass(0);
  assert.equal(runs.length, 5);
  await pass(1000);
  assert.equal(runs.length, 15);
  await pass(1000);
  assert.equal(runs.length, 25);
});

test('queue: an abort waits for what runs and begins nothing', async () => {
  const gates: (() => void)[] = [];
  const hold = (): Promise<RunOutcome> => new Promise((resolve) => gates.push(() => resolve(done)));
  const { queue, runs, pass, stop, running } = rig(hold, { concurrency: 1 });
  queue.add('a');
  queue.add('b');
  await pass(0);
  stop();
  let ended = false;
  void running.then(() => (ended = true));
  await pass(100);
  assert.equal(ended, false);
  const settled = queue.settled();
  gates[0]?.();
  await running;
  await settled;
  assert.deepEqual(runs, ['a@0']);
});
