// A node with a thousand functions: all are offered, a pod starts as usual, the agent stays small and quiet.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../stage/install.ts';
import { policy } from '../stage/machine.ts';
import type { Stage } from '../stage/stage.ts';
import { until } from '../stage/wait.ts';

const card = 'example.com/card';
const memoryMaxMiB = 130;
let stage: Stage;
before(async () => {
  stage = await openStage({
    machine: 'large-1000',
    offered: [
      policy('card', { resourceName: card, devices: [{ vendor: '8086', device: '1592' }] }),
    ],
  });
});
after(async () => await stage?.[Symbol.asyncDispose]());

test('every free card of a thousand functions is offered', async () => {
  const count = await until('cards are offered', async () => {
    const found = await stage.allocatable(card);
    return found > 100 ? found : null;
  });
  console.log(`${count} groups are allocatable`);
});

test('a pod gets one of them as fast as on a small node', async () => {
  const startedMs = performance.now();
  await stage.runPod({ podName: 'one', limits: { [card]: 1 } });
  console.log(`pod made to pod running: ${Math.round(performance.now() - startedMs)} ms`);
  assert(
    (await stage.shown('one')).some((line) => line.startsWith('PCI_RESOURCE_EXAMPLE_COM_CARD=')),
  );
});

test('the agent needs little memory for them', async () => {
  const mib = (await stage.metric('process_resident_memory_bytes')) / 2 ** 20;
  console.log(`agent: ${mib.toFixed(0)} MiB`);
  assert(mib < memoryMaxMiB, `${mib} MiB`);
});
