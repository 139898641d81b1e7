// How long things take in a cluster, beside what they may take; printed, so that a person can compare.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { installOn, openStage } from '../stage/install.ts';
import { groups, resources } from '../stage/machine.ts';
import type { Stage } from '../stage/stage.ts';
import { startTrivialPlugin } from '../stage/trivial-plugin.ts';
import { until } from '../stage/wait.ts';

const trivial = 'example.com/trivial';
const rounds = 7;
const idleMs = 60_000;
let stage: Stage;
before(async () => {
  stage = await openStage({ install: false });
});
after(async () => await stage?.[Symbol.asyncDispose]());

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Milliseconds until a pod with this limit is seen to run, from its creation on. */
async function startMs(podName: string, resource: string): Promise<number> {
  const startedMs = performance.now();
  await stage.runPod({ podName, limits: { [resource]: 1 } });
  return performance.now() - startedMs;
}

test('from helm install to the first pod with devices it takes ten seconds at most', async () => {
  const startedMs = performance.now();
  const installing = installOn(stage);
  await stage.createPod({ podName: 'first', limits: { [resources.gpu]: 1 } });
  await installing;
  await stage.untilPhase('first', 'Running', 60_000);
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`helm install to first pod running: ${seconds.toFixed(1)} s`);
  await stage.removePod('first');
  assert(seconds <= 10, `${seconds} s`);
});

test('a group is allocatable again three seconds after its container has ended', async () => {
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    await stage.untilAllocatable(resources.gpu, 1);
    await stage.runPod({ podName: `ends-${round}`, limits: { [resources.gpu]: 1 } });
    await stage.untilGroupPhase(groups.gpu, 'Assigned');
    await stage.deletePod(`ends-${round}`);
    await stage
      .untilPod(
        `ends-${round}`,
        'has ended',
        ({ status }) => status.containerStatuses?.[0]?.state.terminated !== undefined,
      )
      .catch(() => undefined);
    const endedMs = performance.now();
    await stage.untilGroupPhase(groups.gpu, 'WithHost');
    times.push(performance.now() - endedMs);
  }
  console.log(
    `container ended to group with the host: ${times.map((ms) => Math.round(ms)).join(', ')} ms`,
  );
  assert(median(times) <= 3000, `${median(times)} ms`);
});

test('a pod with a claim starts nearly as fast as with a device plugin that does nothing', async () => {
  using _plugin = await startTrivialPlugin(stage.cluster.node('n1'), trivial);
  await stage.untilAllocatable(trivial, 1);
  const ours: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await stage.untilAllocatable(resources.gpu, 1);
    await stage.untilGroupPhase(groups.gpu, 'WithHost');
    ours.push(await startMs(`ours-${round}`, resources.gpu));
    await stage.removePod(`ours-${round}`);
    others.push(await startMs(`other-${round}`, trivial));
    await stage.removePod(`other-${round}`);
  }
  const [own, other] = [median(ours), median(others)];
  console.log(
    `pod start: ${own.toFixed(0)} ms with a claim, ${other.toFixed(0)} ms with a trivial plugin`,
  );
  assert(own <= other * 1.3 + 100, `${own} ms against ${other} ms`);
});

test('the agent is small, and an idle cluster is not written to', async () => {
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
  await until('it is quiet', async () => {
    const before = await stage.metric('wholegroup_api_writes_total');
    await new Promise((resolve) => setTimeout(resolve, 5000));
    return (await stage.metric('wholegroup_api_writes_total')) === before ? true : null;
  });
  const writes = await stage.metric('wholegroup_api_writes_total');
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  assert.equal((await stage.metric('wholegroup_api_writes_total')) - writes, 0);
  const mib = (await stage.metric('process_resident_memory_bytes')) / 2 ** 20;
  console.log(
    `agent: ${mib.toFixed(0)} MiB; no write to the API server in ${idleMs / 1000} idle seconds`,
  );
  assert(mib <= 100, `${mib} MiB`);
});
