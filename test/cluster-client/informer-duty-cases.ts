// Cases of the informer: what it owes to those who use it. Played on the small server and on a real one.
import assert from 'node:assert/strict';
import { pause, until } from '../kubelet/real-time.ts';
import { isWatch } from './fault-proxy.ts';
import type { Case } from './informer-cases.ts';
import { type ConfigMap, objectsOf, watched } from './stage.ts';

export const informerDutyCases: readonly Case[] = [
  {
    name: 'a handler that throws, or whose promise is rejected, disturbs nobody',
    run: async (stage) => {
      const objects = objectsOf(stage);
      await objects.create('a');
      await using seen = watched(stage);
      // The types let an async method through, except where it is written out in place.
      const failing = {
        added: (): void => {
          throw new Error('thrown');
        },
        updated: (): Promise<void> => Promise.reject(new Error('rejected')),
      };
      seen.informer.onChange(failing);
      const after: string[] = [];
      seen.informer.onChange({ updated: ({ data }) => void after.push(data?.value ?? '') });
      await seen.informer.synced();
      await objects.change('a', '2');
      await until('the last handler is told', () => after.length > 0);
      await until('both are logged', () => seen.log.lines.length >= 2);
      const thrown = seen.log.lines.filter((line) => line.includes('cluster-handler-threw'));
      assert.equal(thrown.length, 2, seen.log.lines.join('\n'));
      assert.deepEqual(seen.told, ['added a=1', 'updated a=2']);
    },
  },
  {
    name: 'a handler that comes late is told what is there',
    run: async (stage) => {
      await objectsOf(stage).bulk(['a', 'b']);
      await using seen = watched(stage);
      await seen.informer.synced();
      const late: string[] = [];
      const leave = seen.informer.onChange({
        added: ({ metadata }) => void late.push(metadata.name),
      });
      assert.equal(late.length, 2);
      leave();
      await objectsOf(stage).create('c');
      await until('c is told', () => seen.told.includes('added c=1'));
      assert.equal(late.length, 2);
    },
  },
  {
    name: 'only what keep() returns is kept, and null is left out',
    run: async (stage) => {
      await objectsOf(stage).bulk(['a', 'b', 'hidden']);
      const keep = ({ metadata }: ConfigMap): ConfigMap | null => {
        const { name, namespace = '', uid = '', resourceVersion = '' } = metadata;
        if (name.endsWith('-hidden')) return null;
        return { metadata: { name, namespace, uid, resourceVersion }, data: { value: 'slim' } };
      };
      await using seen = watched(stage, { keep });
      await seen.informer.synced();
      assert.equal(seen.cached(), 'a=slim b=slim');
      await objectsOf(stage).change('a', '2');
      await until('a is told', () => seen.told.includes('updated a=slim'));
      assert.equal(seen.informer.get(`${stage.label}-a`, 'default')?.metadata.labels, undefined);
    },
  },
  {
    name: 'an abort ends it at once, also in the middle of a list, and nothing is told afterwards',
    run: async (stage) => {
      const objects = objectsOf(stage);
      await objects.create('a');
      stage.proxy.add({ when: () => true, effect: { kind: 'stall', bytes: 5 } });
      const seen = watched(stage);
      await until('the list is under way', () => stage.proxy.seen.length === 1);
      const startedMs = performance.now();
      await seen.stop();
      assert(performance.now() - startedMs < 500);
      assert.equal(await seen.informer.synced(), false);
      await objects.create('b');
      await pause(100);
      assert.deepEqual(seen.told, []);
      assert.equal(stage.proxy.seen.length, 1);
    },
  },
  {
    name: 'an abort ends an open watch and its connection',
    run: async (stage) => {
      const seen = watched(stage);
      await seen.informer.synced();
      await until('the watch is open', () => stage.proxy.seen.some(isWatch));
      await seen.stop();
      stage.client.close();
      await until('no connection is open', () => stage.proxy.open === 0);
      assert.equal(await seen.informer.synced(), true);
    },
  },
  {
    name: 'an outage costs two log lines, and it is back soon after the server is',
    run: async (stage) => {
      const objects = objectsOf(stage);
      await objects.create('a');
      await using seen = watched(stage);
      await seen.informer.synced();
      await until('the watch is open', () => stage.proxy.seen.some(isWatch));
      stage.proxy.breakAll(true);
      await pause(1500);
      await objects.create('b');
      stage.proxy.breakAll(false);
      const backMs = performance.now();
      await until('b is told', () => seen.told.includes('added b=1'));
      assert(performance.now() - backMs < 1000, 'within the cap of the waits');
      const loud = seen.log.lines.filter((line) => !line.startsWith('debug'));
      assert.equal(loud.length, 2, loud.join('\n'));
      assert.equal(seen.informer.health().lists, 1);
    },
  },
  {
    name: 'after an outage a version that has expired costs one list, and no wait that the outage has grown',
    run: async (stage) => {
      const objects = objectsOf(stage);
      await objects.create('a');
      await using seen = watched(stage);
      await seen.informer.synced();
      await until('the watch is open', () => stage.proxy.seen.some(isWatch));
      stage.proxy.breakAll(true);
      await pause(1500);
      await objects.create('b');
      const body = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
      let expiredMs = Number.NaN;
      const when = (asked: Parameters<typeof isWatch>[0]): boolean => {
        if (!isWatch(asked)) return false;
        expiredMs = performance.now();
        return true;
      };
      stage.proxy.add({ when, effect: { kind: 'answer', status: 410, body }, times: 1 });
      stage.proxy.breakAll(false);
      await until('b is told', () => seen.told.includes('added b=1'));
      const tookMs = performance.now() - expiredMs;
      assert(tookMs < 150, `${tookMs} ms, and the waits had grown to 200 to 400`);
      assert.equal(seen.informer.health().lists, 2);
    },
  },
  {
    name: 'a refusal of rights is told in health() and goes away by itself',
    run: async (stage) => {
      await objectsOf(stage).create('a');
      const body = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'may not list' };
      const effect = { kind: 'answer', status: 403, body } as const;
      stage.proxy.add({ when: () => true, effect, times: 3 });
      await using seen = watched(stage);
      await until('it is told', () => seen.informer.health().problem?.kind === 'forbidden');
      await seen.informer.synced();
      assert.equal(seen.informer.health().problem, null);
      assert.deepEqual(seen.told, ['added a=1']);
    },
  },
];
