// The node's kernel comes back with other group numbers while the kubelet holds on to its old answers: a container that
// restarts gets today's nodes by CDI, and is refused, with the reason, where its nodes are fixed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openStage } from '../../stage/install.ts';
import { groups, resources } from '../../stage/machine.ts';
import { killPod } from '../../stage/product-process.ts';
import type { Stage } from '../../stage/stage.ts';
import { until } from '../../stage/wait.ts';

const limits = { [resources.gpu]: 1 };

/** The kernel restarts with another number for the card's group; the container is gone with it, its pod is not. */
async function reboot(stage: Stage, podUid: string): Promise<number> {
  const before = (await stage.binding(groups.gpu)).group;
  for (let turn = 0; turn < 6 && (await stage.binding(groups.gpu)).group === before; turn++)
    await stage.simulate('reboot', { renumber: true });
  const { group, driver } = await stage.binding(groups.gpu);
  assert.notEqual(group, before);
  assert.equal(driver, 'nvidia');
  killPod(podUid, { all: true });
  return group ?? 0;
}

describe('after a reboot with other group numbers', () => {
  test('a container by CDI restarts with the nodes of today', async () => {
    await using stage = await openStage();
    await stage.untilAllocatable(resources.gpu, 1);
    const pod = await stage.runPod({ podName: 'late', limits });
    const today = await reboot(stage, pod.metadata.uid);
    await stage.untilPod('late', 'runs again', ({ status }) => {
      const [container] = status.containerStatuses ?? [];
      return (container?.restartCount ?? 0) > 0 && container?.state.running !== undefined;
    });
    assert.deepEqual(await stage.gpuDrivers(groups.gpu), ['vfio-pci', 'vfio-pci']);
    const nodes = (await stage.shown('late')).filter((line) => line.startsWith('READ '));
    assert.deepEqual(nodes.toSorted(), [`READ /dev/vfio/${today}`, 'READ /dev/vfio/vfio']);
    await stage.removePod('late');
    await stage.untilGroupPhase(groups.gpu, 'WithHost');
    assert.deepEqual(await stage.gpuDrivers(groups.gpu), ['nvidia', 'snd_hda_intel']);
  });

  test('a container whose nodes are fixed is refused with the reason', async () => {
    await using stage = await openStage({ set: ['delivery=device-nodes'] });
    await stage.untilAllocatable(resources.gpu, 1);
    const pod = await stage.runPod({ podName: 'fixed', limits });
    const before = (await stage.binding(groups.gpu)).group;
    const nodes = (await stage.shown('fixed')).filter((line) => line.startsWith('READ '));
    assert.deepEqual(nodes.toSorted(), [`READ /dev/vfio/${before}`, 'READ /dev/vfio/vfio']);
    await reboot(stage, pod.metadata.uid);
    // A first try may come before the agent has looked again: it is refused for what the devices are bound to.
    await stage.untilPod('fixed', 'is refused for its group', ({ status }) => {
      const { state } = status.containerStatuses?.[0] ?? {};
      return /group/.test(state?.waiting?.message ?? '');
    });
    await stage.removePod('fixed');
    await until('the drivers are back', async () =>
      (await stage.gpuDrivers(groups.gpu)).join() === 'nvidia,snd_hda_intel' ? true : null,
    );
    await stage.untilAllocatable(resources.gpu, 1);
  });
});
