// Cases of leader election: never two at once, whatever happens to the connection. Played on the small server and on
// a real one.
import assert from 'node:assert/strict';
import { seededRandom } from '../../src/base/random.ts';
import {
  type ElectionEnd,
  LeaderElection,
  type Leadership,
} from '../../src/cluster/election/leader-election.ts';
import type { LeaseObject } from '../../src/cluster/election/lease.ts';
import { noClusterMetrics } from '../../src/cluster/metrics.ts';
import { resources } from '../../src/cluster/objects.ts';
import { pause, until } from '../kubelet/real-time.ts';
import type { Case } from './informer-cases.ts';
import { keptLog, realClock, type Stage } from './stage.ts';

const times = { durationMs: 3000, renewDeadlineMs: 2000, retryMs: 250 };

/** A candidate; `direct` ones do not go through the proxy. */
function candidate(stage: Stage, identity: string, way: 'direct' | 'client' = 'direct') {
  const election = new LeaderElection({
    ...{ client: stage[way], identity, times, log: keptLog() },
    lease: { namespace: 'default', name: stage.label },
    ...{ clock: realClock, random: seededRandom(identity.length), metrics: noClusterMetrics },
  });
  const over = new AbortController();
  const state: { leads: boolean; leadership: Leadership | null; end: ElectionEnd | null } = {
    ...{ leads: false, leadership: null, end: null },
  };
  const lead = async (leadership: Leadership): Promise<void> => {
    Object.assign(state, { leads: true, leadership });
    await new Promise<void>((resolve) => {
      if (leadership.signal.aborted) resolve();
      leadership.signal.addEventListener('abort', () => resolve());
    });
    state.leads = false;
  };
  const running = election.run(lead, over.signal).then((end) => (state.end = end));
  const stop = async (): Promise<void> => {
    over.abort();
    await running;
  };
  return { state, election, stop, running, [Symbol.asyncDispose]: stop };
}

const leaseOf = async (stage: Stage): Promise<LeaseObject | null> => {
  const place = { namespace: 'default', name: stage.label };
  const answer = await stage.direct.get<LeaseObject>(resources.leases, place);
  return answer.ok ? answer.value : null;
};

export const electionCases: readonly Case[] = [
  {
    name: 'one of two leads, and when it goes the other follows at once',
    run: async (stage) => {
      const first = candidate(stage, 'first');
      await until('the first leads', () => first.state.leads);
      await using second = candidate(stage, 'second');
      await pause(800);
      assert.equal(second.state.leads, false);
      assert.equal(second.election.holder, 'first');
      const startedMs = performance.now();
      await first.stop();
      assert.equal(first.state.end, 'stopped');
      await until('the second leads', () => second.state.leads);
      assert(performance.now() - startedMs < times.durationMs / 2, 'it need not wait');
      const { spec } = (await leaseOf(stage)) ?? {};
      assert.equal(spec?.holderIdentity, 'second');
      assert.equal(spec?.leaseTransitions, 1);
    },
  },
  {
    name: 'a leader that ends while a renewal is under way gives the lease back all the same',
    run: async (stage) => {
      const first = candidate(stage, 'first', 'client');
      await until('the first leads', () => first.state.leads);
      // The server hears the renewal, the leader never hears the answer.
      stage.proxy.add({
        when: ({ method }) => method === 'PUT',
        effect: { kind: 'stall', bytes: 0 },
      });
      const puts = () => stage.proxy.seen.filter(({ method }) => method === 'PUT').length;
      const before = puts();
      await until('it renews', () => puts() > before);
      await pause(100);
      await first.stop();
      assert.equal((await leaseOf(stage))?.spec?.holderIdentity, '');
    },
  },
  {
    name: 'a leader whose connection is half-open stops before another can begin',
    run: async (stage) => {
      await using first = candidate(stage, 'first', 'client');
      await until('the first leads', () => first.state.leads);
      await using second = candidate(stage, 'second');
      await until('the second has looked', () => second.election.holder === 'first');
      stage.proxy.add({ when: () => true, effect: { kind: 'stall', bytes: 0 }, times: 999 });
      let both = false;
      const watching = setInterval(() => {
        both ||= first.state.leadership?.certain() === true && second.state.leads;
      }, 1);
      await until('the second leads', () => second.state.leads, 8000);
      clearInterval(watching);
      assert.equal(both, false, 'never two');
      assert.equal(first.state.leads, false);
      assert.equal(await first.running, 'lost');
    },
  },
  {
    name: 'a leader goes on through an outage that is shorter than its deadline',
    run: async (stage) => {
      await using first = candidate(stage, 'first', 'client');
      await until('the first leads', () => first.state.leads);
      stage.proxy.breakAll(true);
      await pause(500);
      stage.proxy.breakAll(false);
      await pause(2500);
      assert.equal(first.state.leads, true);
      assert.equal(first.state.leadership?.certain(), true);
    },
  },
  {
    name: 'a lease from long ago is respected for its duration by local time, then taken',
    run: async (stage) => {
      const { namespace, name } = { namespace: 'default', name: stage.label };
      const lease: LeaseObject = {
        ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } },
        spec: {
          ...{ holderIdentity: 'dead', leaseDurationSeconds: 2, leaseTransitions: 4 },
          ...{
            acquireTime: '2001-01-01T00:00:00.000000Z',
            renewTime: '2001-01-01T00:00:00.000000Z',
          },
        },
      };
      assert((await stage.direct.create(resources.leases, lease)).ok);
      const startedMs = performance.now();
      await using it = candidate(stage, 'new');
      await until('it leads', () => it.state.leads, 8000);
      assert(performance.now() - startedMs >= 1990, 'remote clocks are not believed');
      assert.equal((await leaseOf(stage))?.spec?.leaseTransitions, 5);
    },
  },
  {
    name: 'a lease that is renewed by a holder with a clock far behind is not taken',
    run: async (stage) => {
      await using first = candidate(stage, 'first');
      await until('the first leads', () => first.state.leads);
      await using second = candidate(stage, 'second');
      await pause(2 * times.durationMs);
      assert.equal(second.state.leads, false);
      assert.equal(first.state.leads, true);
    },
  },
  {
    name: 'a leader whose lease somebody else has taken stops',
    run: async (stage) => {
      await using first = candidate(stage, 'first');
      await until('the first leads', () => first.state.leads);
      await until('the lease is taken by force', async () => {
        const lease = await leaseOf(stage);
        if (lease === null) return false;
        const spec = { ...lease.spec, holderIdentity: 'intruder', leaseDurationSeconds: 60 };
        return (await stage.direct.replace(resources.leases, { ...lease, spec })).ok;
      });
      assert.equal(await first.running, 'lost');
      assert.equal(first.state.leads, false);
    },
  },
];
