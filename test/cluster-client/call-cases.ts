// Cases of single calls: what the client does with answers, and with connections. Played on the small server and on a
// real one.
import assert from 'node:assert/strict';
import type { ApiResult } from '../../src/cluster/problem.ts';
import { pause, until } from '../kubelet/real-time.ts';
import type { Case } from './informer-cases.ts';
import { type ConfigMap, configMaps, objectsOf, type Stage } from './stage.ts';

const at = (stage: Stage, name: string) => ({
  namespace: 'default',
  name: `${stage.label}-${name}`,
});

const kind = (answer: ApiResult<unknown>): string => (answer.ok ? 'ok' : answer.problem.kind);

const answering = (status: number, headers: Readonly<Record<string, string>> = {}) =>
  ({ kind: 'answer', status, headers }) as const;

export const callCases: readonly Case[] = [
  {
    name: 'notFound, alreadyExists and conflict are told apart',
    run: async (stage) => {
      const { client } = stage;
      const made = await objectsOf(stage).create('a');
      assert.equal(kind(await client.get(configMaps, at(stage, 'none'))), 'notFound');
      const again = { ...made, metadata: { ...at(stage, 'a') } };
      assert.equal(kind(await client.create(configMaps, again)), 'alreadyExists');
      assert.equal(kind(await client.replace(configMaps, { ...made, data: { value: '2' } })), 'ok');
      assert.equal(
        kind(await client.replace(configMaps, { ...made, data: { value: '3' } })),
        'conflict',
      );
      const uid = 'another';
      assert.equal(kind(await client.remove(configMaps, at(stage, 'a'), { uid })), 'conflict');
      assert.equal(kind(await client.remove(configMaps, at(stage, 'a'))), 'ok');
    },
  },
  {
    name: 'a hundred calls at once, and a hundred after them, use eight connections',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      const hundred = () =>
        Promise.all(
          Array.from({ length: 100 }, () => stage.client.get(configMaps, at(stage, 'a'))),
        );
      assert.deepEqual([...new Set((await hundred()).map(kind))], ['ok']);
      assert.deepEqual([...new Set((await hundred()).map(kind))], ['ok']);
      assert.equal(stage.proxy.connections, 8);
    },
  },
  {
    name: 'calls one after the other use one connection',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      for (let call = 0; call < 20; call++) {
        assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'ok');
      }
      assert.equal(stage.proxy.connections, 1);
    },
  },
  {
    name: 'a kept connection that was closed meanwhile costs nothing',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      await stage.client.get(configMaps, at(stage, 'a'));
      stage.proxy.breakAll();
      assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'ok');
      assert.equal(stage.proxy.connections, 2);
    },
  },
  {
    name: 'a half-open call ends at its deadline, and the next has another connection',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      stage.proxy.add({ when: () => true, effect: { kind: 'stall', bytes: 0 } });
      const startedMs = performance.now();
      const answer = await stage.client.get(configMaps, at(stage, 'a'), { timeoutMs: 300 });
      assert.equal(kind(answer), 'unavailable');
      assert(performance.now() - startedMs < 800);
      assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'ok');
      assert.equal(stage.proxy.connections, 2);
    },
  },
  {
    name: '429 with Retry-After is repeated after the time it names, a few times',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      stage.proxy.add({
        when: () => true,
        effect: answering(429, { 'retry-after': '1' }),
        times: 1,
      });
      assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'ok');
      const [first, second] = stage.proxy.seen;
      assert((second?.atMs ?? 0) - (first?.atMs ?? 0) >= 995);
      stage.proxy.add({
        when: () => true,
        effect: answering(429, { 'retry-after': '0' }),
        times: 9,
      });
      const answer = await stage.client.get(configMaps, at(stage, 'a'));
      assert(!answer.ok);
      assert.deepEqual(answer.problem, { ...answer.problem, kind: 'tooMany', retryAfterMs: 0 });
      assert.equal(stage.proxy.seen.length, 5, 'three tries');
    },
  },
  {
    name: '500, a Retry-After of minutes and a reset are left to the caller',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      const once = async (...effects: Parameters<Stage['proxy']['add']>[0]['effect'][]) => {
        for (const effect of effects) stage.proxy.add({ when: () => true, effect });
        return await stage.client.get(configMaps, at(stage, 'a'));
      };
      assert.equal(kind(await once(answering(500))), 'unavailable');
      assert.equal(kind(await once(answering(429, { 'retry-after': '600' }))), 'tooMany');
      stage.client.close();
      const reset = await stage.client
        .get(configMaps, at(stage, 'a'))
        .then(() => once({ kind: 'reset' }));
      assert.equal(kind(reset), 'ok', 'on a kept connection a reset is a stale one');
      assert.equal(stage.proxy.seen.length, 5);
    },
  },
  {
    name: 'an abort ends a call under way, and one that waits for Retry-After',
    run: async (stage) => {
      for (const effect of [
        { kind: 'stall', bytes: 0 } as const,
        answering(503, { 'retry-after': '4' }),
      ]) {
        stage.proxy.add({ when: () => true, effect });
        const over = new AbortController();
        const call = stage.client.get(configMaps, at(stage, 'a'), { signal: over.signal });
        await pause(150);
        const startedMs = performance.now();
        over.abort();
        assert.equal(kind(await call), 'aborted');
        assert(performance.now() - startedMs < 200);
      }
    },
  },
  {
    name: 'a 401 makes it ask for fresh credentials, once',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      stage.proxy.add({ when: () => true, effect: answering(401) });
      assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'ok');
      assert.equal(stage.proxy.seen.length, 2);
      stage.proxy.add({ when: () => true, effect: answering(401), times: 9 });
      assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'unauthorized');
      assert.equal(stage.proxy.seen.length, 4);
    },
  },
  {
    name: 'calls that wait behind eight that hang end with their signals, and an urgent one does not wait',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      stage.proxy.add({ when: () => true, effect: { kind: 'stall', bytes: 0 }, times: 8 });
      const over = new AbortController();
      const { signal } = over;
      const hanging = Array.from({ length: 12 }, () =>
        stage.client.get(configMaps, at(stage, 'a'), { signal }),
      );
      await until('eight hang', () => stage.proxy.seen.length === 8);
      assert.equal(
        kind(await stage.client.get(configMaps, at(stage, 'a'), { urgent: true })),
        'ok',
      );
      over.abort();
      assert.deepEqual([...new Set((await Promise.all(hanging)).map(kind))], ['aborted']);
      assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'ok');
      assert.equal(stage.proxy.seen.length, 10);
    },
  },
  {
    name: 'JSON that is no list is unavailable, not an empty list',
    run: async (stage) => {
      for (const body of [{}, { items: [] }, { metadata: {} }, { metadata: {}, items: 5 }]) {
        stage.proxy.add({ when: () => true, effect: { kind: 'answer', status: 200, body } });
        const { namespace } = at(stage, '');
        assert.equal(kind(await stage.client.list(configMaps, { namespace })), 'unavailable');
      }
    },
  },
  {
    name: 'an answer that is not JSON is unavailable, not a crash',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      stage.proxy.add({ when: () => true, effect: { kind: 'cut', bytes: 20 } });
      assert.equal(kind(await stage.client.get(configMaps, at(stage, 'a'))), 'unavailable');
      assert.equal(kind(await stage.client.get<ConfigMap>(configMaps, at(stage, 'a'))), 'ok');
    },
  },
];
