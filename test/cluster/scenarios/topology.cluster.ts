// A kubelet that aligns everything to one NUMA node: groups are handed out where they fit, and refused where not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../stage/install.ts';
import { groups, resources, topology } from '../stage/machine.ts';
import type { Stage } from '../stage/stage.ts';

let stage: Stage;
before(async () => {
  stage = await openStage({
    kubelet: { topologyManagerPolicy: 'single-numa-node' },
    // One function of the accelerators on each node.
    machine: topology
      .replace('{id: 1ae0:0027, class: 120000}', '{id: 1ae0:0027, class: 120000, numa: 0}')
      .replace('{id: 1ae0:0028, class: 120000}', '{id: 1ae0:0028, class: 120000, numa: 1}'),
  });
  await stage.untilAllocatable(resources.nic, 2);
  await stage.untilAllocatable(resources.accelerator, 1);
});
after(async () => await stage?.[Symbol.asyncDispose]());

const wantsNic = { limits: { [resources.nic]: 1 } };

test('the card on the NUMA node of the processors is chosen', async () => {
  await stage.runPod({ podName: 'aligned', ...wantsNic });
  assert.equal((await stage.binding(groups.nicA)).driver, 'vfio-pci');
  assert.equal((await stage.binding(groups.nicB)).driver, 'i40e');
});

test('a card elsewhere is refused by the kubelet, and stays with the host', async () => {
  await stage.createPod({ podName: 'unaligned', ...wantsNic });
  const pod = await stage.untilPhase('unaligned', 'Failed');
  assert.equal(pod.status.reason, 'TopologyAffinityError');
  assert.equal((await stage.group(groups.nicB))?.status?.phase, 'WithHost');
  assert.equal((await stage.binding(groups.nicB)).driver, 'i40e');
});

test('a group across two NUMA nodes is handed out', async () => {
  await stage.runPod({ podName: 'across', limits: { [resources.accelerator]: 1 } });
  assert.equal((await stage.binding(groups.accelerator)).driver, 'vfio-pci');
});
