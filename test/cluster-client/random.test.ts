// Random histories of changes and faults on the small server; and what only it can do quickly, bookmarks.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { pause, until } from '../kubelet/real-time.ts';
import { isWatch } from './fault-proxy.ts';
import { playRandomFaults } from './random-faults.ts';
import { objectsOf, smallStage, watched } from './stage.ts';

suite('random faults', { concurrency: 4 }, () => {
  for (let seed = 1; seed <= 12; seed++) {
    test(`informer: random changes and faults, seed ${seed}`, { timeout: 30_000 }, async () => {
      await using stage = await smallStage({ bookmarkMs: 40 });
      await playRandomFaults(stage, seed, 150);
    });
  }
});

test('informer: bookmarks keep a quiet watch open, and carry its version on', async () => {
  await using stage = await smallStage({ bookmarkMs: 100 });
  await using seen = watched(stage, { timings: { idleMs: 400 } });
  await seen.informer.synced();
  const others = objectsOf({ ...stage, label: 'others' });
  await others.bulk(['a', 'b', 'c', 'd']);
  await pause(1000);
  const watches = () => stage.proxy.seen.filter(isWatch);
  assert.equal(watches().length, 1, 'not silent, though nothing happens');
  await stage.compact();
  stage.proxy.breakAll();
  await until('it watches again', () => watches().length === 2);
  await objectsOf(stage).create('e');
  await until('e is told', () => seen.told.includes('added e=1'));
  assert.equal(seen.informer.health().lists, 1, 'its version was not too old');
});
