// Cases of the informer: everything that can happen between it and the API server, one by one. Played on the small
// server and on a real one.
import assert from 'node:assert/strict';
import { pause, until } from '../kubelet/real-time.ts';
import { isList, isWatch } from './fault-proxy.ts';
import { objectsOf, type Stage, watched } from './stage.ts';

/** One case. */
export interface Case {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
}

const lists = ({ proxy }: Stage): number => proxy.seen.filter(isList).length;
const watches = ({ proxy }: Stage): number => proxy.seen.filter(isWatch).length;

/** A running watch that has told of `a`. */
async function watchingA(stage: Stage, options: Parameters<typeof watched>[1] = {}) {
  const objects = objectsOf(stage);
  await objects.create('a');
  const seen = watched(stage, options);
  await seen.informer.synced();
  await until('the watch is open', () => watches(stage) > 0);
  return { objects, seen };
}

const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

export const informerCases: readonly Case[] = [
  {
    name: 'a list comes by pages, is told as added, and then synced() resolves',
    run: async (stage) => {
      await objectsOf(stage).bulk(['a', 'b', 'c', 'd', 'e']);
      await using seen = watched(stage, { timings: { pageObjects: 2 } });
      assert.equal(seen.informer.hasSynced, false);
      assert.equal(await seen.informer.synced(), true);
      assert.deepEqual(
        seen.told.sort(),
        ['a', 'b', 'c', 'd', 'e'].map((name) => `added ${name}=1`),
      );
      assert.equal(lists(stage), 3, 'pages');
      assert.equal(seen.informer.health().lists, 1);
    },
  },
  {
    name: 'changes come in order, and objects of other labels do not',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      const others = objectsOf({ ...stage, label: `${stage.label}-other` });
      await others.create('x');
      await objects.change('a', '2');
      await objects.create('b');
      await objects.remove('a');
      await others.remove('x');
      await until('all is told', () => seen.told.length === 4);
      assert.deepEqual(seen.told, ['added a=1', 'updated a=2', 'added b=1', 'deleted a=2']);
      assert.equal(seen.cached(), 'b=1');
    },
  },
  {
    name: 'a watch that is refused with HTTP 410 is followed by one list; nothing is lost or told twice',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      stage.proxy.add({ when: isWatch, effect: { kind: 'answer', status: 410, body: gone } });
      const before = lists(stage);
      stage.proxy.breakAll();
      await objects.create('b');
      await until('b is told', () => seen.told.includes('added b=1'));
      await objects.change('a', '2');
      await until('a is told', () => seen.told.includes('updated a=2'));
      assert.deepEqual(seen.told, ['added a=1', 'added b=1', 'updated a=2']);
      assert.equal(lists(stage) - before, 1);
    },
  },
  {
    name: 'an ERROR of 410 in the stream is followed by one list',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      const line = { type: 'ERROR', object: gone };
      stage.proxy.add({ when: isWatch, effect: { kind: 'line', line } });
      const before = lists(stage);
      stage.proxy.breakAll();
      await until('it has listed', () => lists(stage) > before);
      await objects.create('b');
      await until('b is told', () => seen.told.includes('added b=1'));
      assert.equal(lists(stage) - before, 1);
    },
  },
  {
    name: 'after a compaction behind its back it lists once and goes on',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      const before = lists(stage);
      stage.proxy.breakAll(true);
      await objects.create('b');
      await objects.change('a', '2');
      await stage.compact();
      stage.proxy.breakAll(false);
      await until('it has caught up', () => seen.cached() === 'a=2 b=1');
      assert.equal(lists(stage) - before, 1);
      await objects.create('c');
      await until('it watches', () => seen.cached() === 'a=2 b=1 c=1');
    },
  },
  {
    name: 'an object that was deleted and made again unseen is told as deleted and added',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      stage.proxy.breakAll(true);
      await objects.remove('a');
      await objects.create('a', 'new');
      stage.proxy.add({ when: isWatch, effect: { kind: 'answer', status: 410, body: gone } });
      stage.proxy.breakAll(false);
      await until('it has caught up', () => seen.cached() === 'a=new');
      assert.deepEqual(seen.told, ['added a=1', 'deleted a=1', 'added a=new']);
    },
  },
  {
    name: 'pages that expire half-way through make those of the next list larger',
    run: async (stage) => {
      await objectsOf(stage).bulk(['a', 'b', 'c']);
      stage.proxy.add({
        when: ({ path }) => path.includes('continue='),
        effect: { kind: 'answer', status: 410, body: gone },
      });
      await using seen = watched(stage, { timings: { pageObjects: 2 } });
      await seen.informer.synced();
      assert.equal(seen.cached(), 'a=1 b=1 c=1');
      const asked = stage.proxy.seen
        .filter(isList)
        .map(({ path }) => /limit=(\d+)/.exec(path)?.[1]);
      assert.deepEqual(asked, ['2', '2', '8']);
      assert.equal(seen.told.length, 3);
    },
  },
  {
    name: '429 with Retry-After keeps it away for as long as the server said',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      const effect = { kind: 'answer', status: 429, headers: { 'retry-after': '1' } } as const;
      stage.proxy.add({ when: isWatch, effect });
      stage.proxy.breakAll();
      await objects.create('b');
      await until('b is told', () => seen.told.includes('added b=1'));
      const [refused, next] = stage.proxy.seen.filter(isWatch).slice(-2);
      assert((next?.atMs ?? 0) - (refused?.atMs ?? 0) >= 995, 'at least the second it asked for');
      assert.equal(seen.informer.health().lists, 1);
    },
  },
  {
    name: '500 makes it come back later and later, from the version that it knows',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      stage.proxy.add({ when: isWatch, effect: { kind: 'answer', status: 500 }, times: 5 });
      stage.proxy.breakAll();
      await until('it has met the failure', () => seen.informer.health().problem !== null);
      assert.equal(seen.informer.health().current, false);
      await objects.create('b');
      await until('b is told', () => seen.told.includes('added b=1'));
      const times = stage.proxy.seen
        .filter(isWatch)
        .slice(-6)
        .map(({ atMs }) => atMs);
      const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
      assert((gaps[4] ?? 0) > (gaps[0] ?? 0), `growing: ${gaps.join(' ')}`);
      assert.equal(seen.informer.health().lists, 1, 'no list was needed');
      assert.equal(seen.informer.health().current, true);
    },
  },
  {
    name: 'a half-open watch is given up after the silence, and nothing is lost',
    run: async (stage) => {
      const objects = objectsOf(stage);
      await objects.create('a');
      stage.proxy.add({ when: isWatch, effect: { kind: 'stall', bytes: 0 } });
      await using seen = watched(stage, { timings: { idleMs: 600 } });
      await seen.informer.synced();
      await until('the watch is open', () => watches(stage) === 1);
      await objects.create('b');
      await pause(200);
      assert.deepEqual(seen.told, ['added a=1'], 'the half-open stream tells nothing');
      await until('b is told', () => seen.told.includes('added b=1'));
      assert(seen.log.lines.some((line) => line.includes('not even a bookmark')));
      assert.equal(seen.informer.health().lists, 1);
    },
  },
  {
    name: 'a half-open list is given up after the silence, a slow one is waited for',
    run: async (stage) => {
      await objectsOf(stage).bulk(['a', 'b']);
      stage.proxy.add({ when: isList, effect: { kind: 'stall', bytes: 60 } });
      stage.proxy.add({ when: isList, effect: { kind: 'slow', pauseMs: 20 } });
      await using seen = watched(stage, { timings: { listSilenceMs: 500 } });
      const startedMs = performance.now();
      await seen.informer.synced();
      assert(performance.now() - startedMs > 1200, 'longer than the silence of both together');
      assert.equal(seen.cached(), 'a=1 b=1');
      assert.equal(lists(stage), 2);
    },
  },
  {
    name: 'a stream that is cut in the middle of a line is taken up again where it was',
    run: async (stage) => {
      const objects = objectsOf(stage);
      await objects.create('a');
      stage.proxy.add({ when: isWatch, effect: { kind: 'cut', bytes: 100 } });
      await using seen = watched(stage);
      await seen.informer.synced();
      await until('the watch is open', () => watches(stage) === 1);
      await objects.create('b');
      await objects.change('b', '2');
      await until('b is told', () => seen.told.includes('updated b=2'));
      assert.deepEqual(seen.told, ['added a=1', 'added b=1', 'updated b=2']);
      assert.equal(seen.informer.health().lists, 1);
    },
  },
  {
    name: 'a connection that is reset is opened anew',
    run: async (stage) => {
      const { objects, seen } = await watchingA(stage);
      await using _ = seen;
      stage.proxy.add({ when: isWatch, effect: { kind: 'reset' }, times: 3 });
      stage.proxy.breakAll();
      await objects.create('b');
      await until('b is told', () => seen.told.includes('added b=1'));
      assert.equal(seen.informer.health().lists, 1);
    },
  },
  {
    name: 'a slow answer, byte by byte, is put together',
    run: async (stage) => {
      const objects = objectsOf(stage);
      await objects.create('a', 'ä€😀');
      const effect = { kind: 'slow', pauseMs: 1 } as const;
      stage.proxy.add({ when: () => true, effect, times: 2 });
      await using seen = watched(stage);
      await seen.informer.synced();
      await objects.create('b', 'ä€😀');
      await until('b is told', () => seen.told.length === 2);
      assert.deepEqual(seen.told, ['added a=ä€😀', 'added b=ä€😀']);
      assert.equal(watches(stage), 1, 'nothing had to be asked for again');
    },
  },
];
