// When the node is looked at: on virtual time, with a host that says nothing of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeWatch } from '../../src/agent/node-watch.ts';
import { defaultTiming, type SurveyTrigger } from '../../src/agent/ports.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import type { Changes, Fingerprint } from '../../src/pci/changes.ts';
import { at } from '../host/machine.ts';

const drain = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A fingerprint of a machine with `rest`, and with a text for each of some functions. */
function of(rest: string, functions: Readonly<Record<string, string>> = {}): Fingerprint {
  const part = Object.entries(functions).map(([address, text]) => [at(address), text] as const);
  return { parts: [new Map(part)], groups: [], rest };
}

const anything: Changes = { kind: 'anything' };

function some(...addresses: string[]): Changes {
  return { kind: 'some', functions: new Set(addresses.map(at)), groups: new Set() };
}

/** A watch on a node of which a survey takes `surveyMs`; `seen` has the triggers with their times in seconds. */
function watchNode(surveyMs: number) {
  const clock = new VirtualClock();
  const node = {
    ...{ fingerprint: of('quiet'), working: false },
    hint: (_where: Changes): void => undefined,
  };
  const seen: [SurveyTrigger, number][] = [];
  const places: string[] = [];
  const watch = new NodeWatch({
    ports: {
      clock,
      timing: defaultTiming,
      host: {
        fingerprint: () => Promise.resolve(node.fingerprint),
        changes: (listener) => {
          node.hint = listener;
          return { close: () => undefined };
        },
      },
    },
    survey: (trigger, where) => {
      places.push(where.kind === 'anything' ? 'anything' : [...where.functions].join(' '));
      seen.push([trigger, Math.round(clock.monotonicMs() / 1000)]);
      return new Promise((resolve) => void clock.after(surveyMs, resolve));
    },
    working: () => node.working,
    onCrash: (problem) => assert.fail(String(problem)),
  });
  const run = (ms: number): Promise<void> => advance(clock, ms, drain);
  return { clock, node, seen, places, watch, run };
}

const rounds: readonly (readonly [text: string, surveyMs: number, atSeconds: readonly number[]])[] =
  [
    ['a round comes every 30 s where it takes no time', 0, [30, 60, 90, 120]],
    ['a round that takes 100 ms is followed by a pause of 600 times that', 100, [30, 90, 150]],
    ['a round comes at least every two minutes', 5000, [35, 160, 285]],
  ];

for (const [text, surveyMs, atSeconds] of rounds) {
  test(text, async () => {
    const { seen, watch, run } = watchNode(surveyMs);
    void watch.start();
    await run(1000 * ((atSeconds.at(-1) ?? 0) + 10));
    watch.stop();
    assert.deepEqual(
      seen.slice(1),
      atSeconds.map((second) => ['round', second]),
    );
  });
}

test('a hint that comes while a round waits makes it a whole survey', async () => {
  const { node, seen, watch, run } = watchNode(0);
  void watch.start();
  await run(30_002);
  node.hint(anything);
  await run(1000);
  watch.stop();
  assert.deepEqual(seen, [
    ['start', 0],
    ['hint', 30],
  ]);
});

test('hints of a claim or a return share one look, a second after the first', async () => {
  const { node, seen, watch, run } = watchNode(0);
  void watch.start();
  await run(10_000);
  node.working = true;
  for (let hints = 0; hints < 8; hints++) {
    node.hint(some('0000:01:00.0'));
    await run(100);
  }
  assert.deepEqual(seen, [['start', 0]]);
  await run(300);
  watch.stop();
  assert.deepEqual(seen, [
    ['start', 0],
    ['hint', 11],
  ]);
});

test('a policy does not wait for a claim or a return', async () => {
  const { node, seen, watch, run } = watchNode(0);
  void watch.start();
  await run(10_000);
  node.working = true;
  watch.want('policy');
  await run(10);
  watch.stop();
  assert.deepEqual(seen.at(-1), ['policy', 10]);
});

test('a round before which the fingerprint differs is a whole survey', async () => {
  const { node, seen, watch, run } = watchNode(0);
  void watch.start();
  await run(30_002);
  node.fingerprint = of('changed');
  await run(10);
  watch.stop();
  assert.deepEqual(seen.at(-1), ['poll', 30]);
});

test('the round waits anew after every survey', async () => {
  const { node, seen, watch, run } = watchNode(0);
  void watch.start();
  await run(20_000);
  node.hint(anything);
  await run(29_000);
  assert.deepEqual(seen.length, 2);
  await run(2000);
  watch.stop();
  assert.deepEqual(seen.at(-1), ['round', 50]);
});

test('what could not be known is looked at again after 1 s, 2 s, 4 s …, until rounds are as quick', async () => {
  const { seen, watch, run } = watchNode(0);
  void watch.start();
  watch.doubts(true);
  for (let passedMs = 0; passedMs < 60_000; passedMs += 500) {
    await run(500);
    watch.doubts(true);
  }
  watch.stop();
  assert.deepEqual(
    seen.map(([trigger, at]) => `${trigger} ${at}`),
    ['start 0', 'poll 1', 'poll 3', 'poll 7', 'poll 15', 'poll 31'],
  );
});

test('once all is known nothing is looked at again, and a later doubt begins anew', async () => {
  const { seen, watch, run } = watchNode(0);
  void watch.start();
  watch.doubts(true);
  await run(2000);
  watch.doubts(false);
  await run(10_000);
  watch.doubts(true);
  await run(3000);
  watch.stop();
  assert.deepEqual(
    seen.map(([trigger, at]) => `${trigger} ${at}`),
    ['start 0', 'poll 1', 'poll 13'],
  );
});

test('a hint about one function is looked into there', async () => {
  const { node, places, watch, run } = watchNode(0);
  void watch.start();
  await run(5000);
  node.hint(some('0000:01:00.0'));
  node.hint(some('0000:02:00.0'));
  await run(1000);
  watch.stop();
  assert.deepEqual(places, ['anything', '0000:01:00.0 0000:02:00.0']);
});

test('a hint about one function is looked into everywhere when the fingerprint shows more', async () => {
  const { node, places, watch, run } = watchNode(0);
  void watch.start();
  await run(5000);
  node.fingerprint = of('changed');
  node.hint(some('0000:01:00.0'));
  await run(10_000);
  watch.stop();
  assert.deepEqual(places, ['anything', 'anything']);
});

test('a poll that finds a function changed has it looked at, without any hint', async () => {
  const { node, seen, places, watch, run } = watchNode(0);
  void watch.start();
  await run(5000);
  node.fingerprint = of('quiet', { '0000:03:00.0': 'vfio-pci' });
  await run(2000);
  watch.stop();
  assert.deepEqual(seen.at(-1)?.[0], 'poll');
  assert.deepEqual(places, ['anything', '0000:03:00.0']);
});

test('what changes during a survey, and back during the next, is looked at again each time', async () => {
  const { node, places, watch, run } = watchNode(200);
  void watch.start();
  await run(5000);
  node.hint(some('0000:01:00.0'));
  await run(100);
  node.fingerprint = of('quiet', { '0000:03:00.0': 'vfio-pci' });
  await run(150);
  node.fingerprint = of('quiet');
  await run(3000);
  watch.stop();
  assert.deepEqual(places, ['anything', '0000:01:00.0', '0000:03:00.0', '0000:03:00.0']);
});

test('what changes during a survey, and was announced before it, is looked at as soon as that one is over', async () => {
  const { node, clock, places, watch, run } = watchNode(50);
  const atMs: number[] = [];
  void watch.start();
  await run(5000);
  node.hint(some('0000:01:00.0'));
  const hintedAtMs = clock.monotonicMs();
  await run(30);
  node.fingerprint = of('quiet', { '0000:03:00.0': 'gone' });
  while (places.length < 3) {
    await run(1);
    atMs.push(clock.monotonicMs() - hintedAtMs);
  }
  watch.stop();
  assert.deepEqual(places, ['anything', '0000:01:00.0', '0000:03:00.0']);
  assert.ok((atMs.at(-1) ?? 0) < 100, `looked at again ${atMs.at(-1)} ms after the hint`);
});

test('a node that changes during every survey is looked at twice for each poll, not all the time', async () => {
  const { node, clock, seen, watch, run } = watchNode(50);
  void watch.start();
  await run(5000);
  const before = seen.length;
  let text = 0;
  const change = (): void => {
    text += 1;
    node.fingerprint = of('quiet', { '0000:03:00.0': `state ${text}` });
    if (text < 500) clock.after(20, change);
  };
  change();
  await run(10_000);
  watch.stop();
  const surveys = seen.length - before;
  assert.ok(surveys >= 10 && surveys <= 22, `${surveys} surveys in 10 s`);
});

test('looks at a few functions do not put off the round', async () => {
  const { node, seen, places, watch, run } = watchNode(0);
  void watch.start();
  for (let second = 0; second < 65; second++) {
    node.hint(some('0000:01:00.0'));
    await run(1000);
  }
  watch.stop();
  // The first, and two rounds, each by itself or together with a hint of that moment.
  const whole = places.filter((place, at) => place === 'anything' || seen[at]?.[0] === 'round');
  assert.equal(whole.length, 3);
});
