// Cases of the recorder of Events. Played on the small server and on a real one, which checks every Event it is sent.
import assert from 'node:assert/strict';
import { seededRandom } from '../../src/base/random.ts';
import type { EventObject, Happening } from '../../src/cluster/events/event-object.ts';
import { type EventLimits, EventRecorder } from '../../src/cluster/events/recorder.ts';
import { noClusterMetrics } from '../../src/cluster/metrics.ts';
import { resources } from '../../src/cluster/objects.ts';
import { pause, until } from '../kubelet/real-time.ts';
import type { Case } from './informer-cases.ts';
import { keptLog, realClock, type Stage } from './stage.ts';

function rig(stage: Stage, limits: Partial<EventLimits> = {}) {
  const counts = { sent: 0, merged: 0, dropped: 0 };
  const recorder = new EventRecorder({
    ...{ client: stage.client, log: keptLog(), clock: realClock, random: seededRandom(9) },
    source: { controller: 'wholegroup.dev/agent', instance: 'worker-1' },
    metrics: { ...noClusterMetrics, event: (outcome) => void counts[outcome]++ },
    limits: { seriesWriteMs: 300, ...limits },
  });
  const over = new AbortController();
  const running = recorder.run(over.signal);
  const happening = (reason: string, more: Partial<Happening> = {}): Happening => ({
    ...{ type: 'Normal', reason, action: 'Claim', note: `${reason} happened` },
    regarding: {
      ...{ apiVersion: 'wholegroup.dev/v1alpha1', kind: 'IOMMUGroup' },
      ...{ name: `${stage.label}-group`, uid: 'a-uid' },
    },
    ...more,
  });
  /** The Events of this stage on the server. */
  const events = async (): Promise<readonly EventObject[]> => {
    const page = await stage.direct.list<EventObject>(resources.events, { namespace: 'default' });
    if (!page.ok) throw new Error(JSON.stringify(page.problem));
    return (page.value.items ?? []).filter(({ regarding }) =>
      regarding.name.startsWith(`${stage.label}-`),
    );
  };
  const stop = async (): Promise<void> => {
    over.abort();
    await running;
  };
  return { recorder, counts, happening, events, [Symbol.asyncDispose]: stop };
}

export const eventCases: readonly Case[] = [
  {
    name: 'an Event arrives with everything in it',
    run: async (stage) => {
      await using it = rig(stage);
      const note = 'ä'.repeat(2000);
      const related = { apiVersion: 'v1', kind: 'Pod', namespace: 'ml', name: 'train-0' };
      it.recorder.record(it.happening('Claimed', { type: 'Warning', note, related }));
      await until('it is there', async () => (await it.events()).length === 1);
      const [event] = await it.events();
      assert.equal(event?.reason, 'Claimed');
      assert.equal(event?.type, 'Warning');
      assert.equal(event?.reportingController, 'wholegroup.dev/agent');
      assert.equal(event?.related?.name, 'train-0');
      assert.match(event?.eventTime ?? '', /^\d{4}-.*\.\d{6}Z$/);
      assert(Buffer.byteLength(event?.note ?? '') <= 1024 && event?.note.endsWith('…'));
    },
  },
  {
    name: 'what happens again is one Event with a series that counts it',
    run: async (stage) => {
      await using it = rig(stage);
      for (let times = 0; times < 20; times++) {
        it.recorder.record(it.happening('Blocked'));
        await pause(20);
      }
      await until('all are counted', async () => (await it.events())[0]?.series?.count === 20);
      assert.equal((await it.events()).length, 1);
      const writes = stage.proxy.seen.filter(({ method }) => method !== 'GET').length;
      assert(writes <= 4, `${writes} writes for twenty Events`);
    },
  },
  {
    name: 'another note is another Event, and a series that was quiet begins anew',
    run: async (stage) => {
      await using it = rig(stage, { seriesMs: 400 });
      it.recorder.record(it.happening('Blocked'));
      it.recorder.record(it.happening('Blocked', { note: 'for another reason' }));
      await until('both are there', async () => (await it.events()).length === 2);
      await pause(500);
      it.recorder.record(it.happening('Blocked'));
      await until('a third is there', async () => (await it.events()).length === 3);
    },
  },
  {
    name: 'one object cannot flood the server, and others are not hurt by it',
    run: async (stage) => {
      await using it = rig(stage, { perObject: { perSecond: 0.001, burst: 4 } });
      for (let nth = 0; nth < 50; nth++)
        it.recorder.record(it.happening('Blocked', { note: `${nth}` }));
      const other = { ...it.happening('Claimed').regarding, name: `${stage.label}-other` };
      it.recorder.record(it.happening('Claimed', { regarding: other }));
      await until('they are there', async () => (await it.events()).length === 5);
      assert.equal(it.counts.dropped, 46);
    },
  },
  {
    name: 'an outage keeps the newest and sends them once it is over',
    run: async (stage) => {
      await using it = rig(stage, { queued: 3, perObject: { perSecond: 1, burst: 50 } });
      stage.proxy.breakAll(true);
      for (let nth = 0; nth < 8; nth++)
        it.recorder.record(it.happening('Blocked', { note: `${nth}` }));
      await pause(700);
      stage.proxy.breakAll(false);
      await until('they are there', async () => (await it.events()).length === 3);
      assert.deepEqual((await it.events()).map(({ note }) => note).sort(), ['5', '6', '7']);
      assert.equal(it.counts.dropped, 5);
    },
  },
  {
    name: 'an Event that the server has forgotten is made again',
    run: async (stage) => {
      await using it = rig(stage);
      it.recorder.record(it.happening('Blocked'));
      await until('it is there', async () => (await it.events()).length === 1);
      const [event] = await it.events();
      assert(event !== undefined);
      await stage.direct.remove(resources.events, event.metadata);
      it.recorder.record(it.happening('Blocked'));
      await until('it is there again', async () => (await it.events())[0]?.series?.count === 2);
    },
  },
  {
    name: 'an Event that the server refuses is dropped, and the next one is sent',
    run: async (stage) => {
      await using it = rig(stage);
      const effect = { kind: 'answer', status: 422 } as const;
      stage.proxy.add({ when: ({ method }) => method === 'POST', effect });
      it.recorder.record(it.happening('Refused'));
      it.recorder.record(it.happening('Claimed'));
      await until('the other is there', async () => (await it.events())[0]?.reason === 'Claimed');
      assert.deepEqual({ ...it.counts }, { sent: 1, merged: 0, dropped: 1 });
    },
  },
];
