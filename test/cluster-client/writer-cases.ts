// Cases of what is written: objects only on change, Events, leases. Played on the small server and on a real one, both
// with the resource `probes` (cluster-scoped, with a status).
import assert from 'node:assert/strict';
import { seededRandom } from '../../src/base/random.ts';
import { noClusterMetrics } from '../../src/cluster/metrics.ts';
import { Informer } from '../../src/cluster/informer/informer.ts';
import {
  ObjectWriter,
  type ObjectWriterOptions,
  type StatusObject,
} from '../../src/cluster/object-writer.ts';
import type { Resource } from '../../src/cluster/objects.ts';
import { pause, until } from '../kubelet/real-time.ts';
import type { Case } from './informer-cases.ts';
import { keptLog, quickTimings, realClock, type Stage } from './stage.ts';

const probes: Resource = {
  ...{ group: 'test.wholegroup.dev', version: 'v1', plural: 'probes', kind: 'Probe' },
};

interface Probe extends StatusObject {
  readonly spec?: object;
  readonly status?: { readonly value?: number | null; readonly list?: readonly string[] };
}

const isWrite = ({ method }: { readonly method: string }): boolean => method !== 'GET';

/** A writer for probes, and an informer that tells it what the server has. */
function rig(stage: Stage, options: Partial<ObjectWriterOptions> = {}) {
  const log = keptLog();
  const common = {
    ...{ client: stage.client, resource: probes, log },
    ...{ clock: realClock, random: seededRandom(5), metrics: noClusterMetrics },
  };
  const writer = new ObjectWriter({
    ...common,
    fieldManager: 'wholegroup-test',
    backoff: { baseMs: 20, capMs: 200 },
    live: (name) => (informer.hasSynced ? (informer.get(name) ?? null) : undefined),
    ...options,
  });
  const informer: Informer<Probe> = new Informer<Probe>({ ...common, timings: quickTimings });
  informer.onChange({
    added: (probe) => writer.saw(probe.metadata.name, probe),
    updated: (probe) => writer.saw(probe.metadata.name, probe),
    deleted: ({ metadata }) => writer.saw(metadata.name, null),
  });
  const over = new AbortController();
  const running = [
    informer.run(over.signal),
    informer.synced().then(() => writer.run(over.signal)),
  ];
  const writes = (): number => stage.proxy.seen.filter(isWrite).length;
  const live = (name: string): Probe | undefined => informer.get(`${stage.label}-${name}`);
  const stop = async (): Promise<void> => {
    over.abort();
    await Promise.all(running);
  };
  const want = (name: string, value: number | null, list: readonly string[] = []): void =>
    writer.want(`${stage.label}-${name}`, {
      metadata: { labels: { node: 'worker-1' } },
      status: { value, list },
    });
  return { writer, informer, writes, live, log, want, [Symbol.asyncDispose]: stop };
}

export const writerCases: readonly Case[] = [
  {
    name: 'an object is made with its status, written on change, and never otherwise',
    run: async (stage) => {
      await using it = rig(stage);
      it.want('a', 1);
      await until('it is there', () => it.live('a')?.status?.value === 1);
      assert.deepEqual(it.live('a')?.metadata.labels, { node: 'worker-1' });
      assert.equal(it.writes(), 2, 'the object, then its status');
      for (let round = 0; round < 50; round++) it.want('a', 1);
      await pause(200);
      assert.equal(it.writes(), 2, 'a steady state costs nothing');
      const old = it.live('a') ?? null;
      it.want('a', 2, ['x']);
      await until('it has changed', () => it.live('a')?.status?.value === 2);
      assert.equal(it.writes(), 3, 'only the status');
      it.writer.saw(`${stage.label}-a`, old);
      await pause(100);
      assert.equal(it.writes(), 3, 'what an informer tells late is no news');
    },
  },
  {
    name: 'a new process that finds everything as it should be writes nothing',
    run: async (stage) => {
      await using first = rig(stage);
      first.want('a', 1, ['x', 'y']);
      await until('it is there', () => first.live('a')?.status?.list?.length === 2);
      const before = first.writes();
      await using second = rig(stage);
      second.want('a', 1, ['x', 'y']);
      second.want('b', 1);
      await until('b is there', () => second.live('b')?.status?.value === 1);
      assert.equal(first.writes() - before, 2, 'only what was missing');
    },
  },
  {
    name: 'what another writer changes or removes is put back',
    run: async (stage) => {
      await using it = rig(stage);
      it.want('a', 1);
      await until('it is there', () => it.live('a')?.status?.value === 1);
      const name = `${stage.label}-a`;
      const apply = { fieldManager: 'intruder', subresource: 'status' } as const;
      const body = { apiVersion: 'test.wholegroup.dev/v1', kind: 'Probe', metadata: { name } };
      const intruded = { ...body, status: { value: 99 } };
      assert((await stage.direct.apply(probes, intruded, apply)).ok);
      await until('it is put back', () => it.live('a')?.status?.value === 1 && it.writes() === 3);
      const uid = it.live('a')?.metadata.uid;
      assert((await stage.direct.remove(probes, { name })).ok);
      await until('it is made anew', () => {
        const now = it.live('a');
        return now !== undefined && now.metadata.uid !== uid && now.status?.value === 1;
      });
    },
  },
  {
    name: 'what is not wanted any more is removed, and not made again',
    run: async (stage) => {
      await using it = rig(stage);
      it.want('a', 1);
      await until('it is there', () => it.live('a')?.status?.value === 1);
      it.writer.want(`${stage.label}-a`, null);
      await until('it is gone', () => it.live('a') === undefined);
      await pause(100);
      assert.equal(it.writes(), 3);
      it.want('a', 2);
      await until('it is there again', () => it.live('a')?.status?.value === 2);
    },
  },
  {
    name: "the status of somebody else's object is written, and without the object nothing is",
    run: async (stage) => {
      await using it = rig(stage);
      const name = `${stage.label}-theirs`;
      it.writer.want(name, { metadata: null, status: { value: 1, list: [] } });
      await it.writer.settled();
      await pause(100);
      assert.equal(it.live('theirs'), undefined);
      const body = { apiVersion: 'test.wholegroup.dev/v1', kind: 'Probe', metadata: { name } };
      assert((await stage.direct.create(probes, body)).ok);
      await until('its status is written', () => it.live('theirs')?.status?.value === 1);
    },
  },
  {
    name: 'an outage merges everything that happened in it into one write',
    run: async (stage) => {
      await using it = rig(stage);
      it.want('a', 1);
      await until('it is there', () => it.live('a')?.status?.value === 1);
      stage.proxy.breakAll(true);
      for (let value = 2; value < 30; value++) {
        it.want('a', value);
        await pause(10);
      }
      const before = it.writes();
      stage.proxy.breakAll(false);
      await until('it is written', () => it.live('a')?.status?.value === 29);
      assert.equal(it.writes() - before, 1);
      assert.deepEqual(it.writer.pending, []);
    },
  },
  {
    name: '429 with Retry-After holds a write back for as long as the server said',
    run: async (stage) => {
      await using it = rig(stage);
      const headers = { 'retry-after': '6' };
      stage.proxy.add({ when: isWrite, effect: { kind: 'answer', status: 429, headers } });
      it.want('a', 1);
      await until('it was refused', () => it.writes() === 1);
      for (let round = 0; round < 20; round++) {
        it.want('a', round + 2);
        await pause(20);
      }
      assert.equal(it.writes(), 1, 'no new word makes it come earlier');
    },
  },
  {
    name: 'a null in a status is no change for ever',
    run: async (stage) => {
      await using it = rig(stage);
      it.want('a', null, ['x']);
      await until('it is there', () => it.live('a')?.status !== undefined);
      for (let round = 0; round < 20; round++) it.want('a', null, ['x']);
      await pause(200);
      assert.equal(it.writes(), 2);
    },
  },
];
