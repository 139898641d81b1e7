// When the kubelet is asked for holders, on virtual time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import { defaultQuestionRates, HolderQuestions } from '../../src/kubelet/holder-questions.ts';
import type { HoldersAnswer } from '../../src/kubelet/pods.ts';

const drain = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Questions that are answered after `answerMs`; `askedMs` has the times at which they were asked. */
function questions(answerMs = 0, signal?: AbortSignal) {
  const clock = new VirtualClock();
  const askedMs: number[] = [];
  const asker = new HolderQuestions({
    clock,
    rates: defaultQuestionRates,
    ...(signal === undefined ? {} : { signal }),
    ask: (askedAtMs) => {
      askedMs.push(askedAtMs);
      return new Promise<HoldersAnswer>(
        (resolve) =>
          void clock.after(answerMs, () => resolve({ kind: 'unreachable', why: `${askedAtMs}` })),
      );
    },
  });
  return { clock, asker, askedMs, run: (ms: number) => advance(clock, ms, drain) };
}

test('callers that nobody waits for share one question a second', async () => {
  const { asker, askedMs, run } = questions();
  for (let tenth = 0; tenth < 25; tenth++) {
    void asker.list();
    await run(100);
  }
  assert.deepEqual(askedMs, [0, 1000, 2000]);
});

test('a fresh question is asked at once, though another was asked just before', async () => {
  const { asker, askedMs, run } = questions();
  void asker.list();
  await run(10);
  void asker.list({ fresh: true });
  await run(10);
  assert.deepEqual(askedMs, [0, 10]);
});

test('a fresh question is not answered with what was asked before it', async () => {
  const { asker, askedMs, run } = questions(50);
  const first = asker.list({ fresh: true });
  await run(10);
  const second = asker.list({ fresh: true });
  await run(200);
  assert.deepEqual(
    [await first, await second].map((answer) => answer.kind === 'unreachable' && answer.why),
    ['0', '50'],
  );
  assert.deepEqual(askedMs, [0, 50]);
});

test('fresh questions that wait at the same time are one', async () => {
  const { asker, askedMs, run } = questions(50);
  void asker.list({ fresh: true });
  await run(10);
  const answers = [asker.list({ fresh: true }), asker.list({ fresh: true })];
  await run(200);
  assert.equal(await answers[0], await answers[1]);
  assert.equal(askedMs.length, 2);
});

test('fresh questions stay far below what the kubelet answers: a burst of 5, then 20 a second', async () => {
  const { asker, askedMs, run } = questions();
  for (let ms = 0; ms < 1000; ms += 5) {
    void asker.list({ fresh: true });
    await run(5);
  }
  assert(askedMs.length >= 20 && askedMs.length <= 26, `${askedMs.length} questions`);
});

test('once all waiting has ended, fresh questions do not wait for the rate', async () => {
  const ended = new AbortController();
  const { asker, askedMs, run } = questions(0, ended.signal);
  ended.abort();
  for (let count = 0; count < 8; count++) {
    void asker.list({ fresh: true });
    await run(0);
  }
  assert.equal(askedMs.length, 8);
});
