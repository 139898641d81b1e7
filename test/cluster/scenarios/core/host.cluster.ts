// What the host and its hardware do while a pod has a group, or is to get one: nothing is touched, and it is said.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from '../../stage/install.ts';
import { groupPath, groups, resources, sound } from '../../stage/machine.ts';
import type { Stage } from '../../stage/stage.ts';
import { stays, until } from '../../stage/wait.ts';

let stage: Stage;
/** Name of the card's object. */
let object = '';
before(async () => {
  stage = await openStage();
  object = `${stage.home}-0000-01-00-0`;
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.untilAllocatable(resources.nic, 2);
});
after(async () => await stage?.[Symbol.asyncDispose]());

const wantsGpu = { limits: { [resources.gpu]: 1 } };
const vfio = 'vfio-pci,vfio-pci';
const native = 'nvidia,snd_hda_intel';

async function drivers(): Promise<string> {
  return (await stage.gpuDrivers(groups.gpu)).join();
}

async function driversAreBack(): Promise<void> {
  await until('the drivers are back', async () => ((await drivers()) === native ? true : null));
}

test('while somebody has the devices open after the pod is gone, nothing is given back', async () => {
  await stage.runPod({ podName: 'left-open', ...wantsGpu });
  const entered = await stage.simulate('enterGroup', { address: groups.gpu as never });
  const { pid } = entered as { pid: number };
  await stage.removePod('left-open');
  await stays('the group is kept', 5000, async () => (await drivers()) === vfio);
  assert.notEqual((await stage.group(groups.gpu))?.status?.phase, 'WithHost');
  assert.equal((await stage.group(groups.gpu))?.status?.owner, 'Userspace');
  await stage.simulate('kill', { pid });
  await driversAreBack();
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
});

test('an unbind that hangs keeps its pod from starting, and nothing else', async () => {
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.simulate('injectFault', {
    fault: { kind: 'unbind-hang', address: groups.gpu as never, times: 1 },
  });
  await stage.createPod({ podName: 'hanging', ...wantsGpu });
  await until('the agent says that a call is pending', async () =>
    (await stage.metric('wholegroup_kernel_pending')) >= 1 ? true : null,
  );
  await stage.runPod({ podName: 'beside', limits: { [resources.nic]: 1 } });
  assert.equal((await stage.pod('hanging'))?.status.phase, 'Pending');
  await stage.simulate('clearFaults', {});
  await stage.untilPhase('hanging', 'Running', 60_000);
  assert.equal(await drivers(), vfio);
  await stage.removePod('beside');
});

test('a person who binds a member to a host driver while a pod has the group is told of', async () => {
  await stage.write('/sys/bus/pci/drivers/vfio-pci/unbind', sound);
  await stage.write(`/sys/bus/pci/devices/${sound}/driver_override`, '\n');
  await stage.write('/sys/bus/pci/drivers/snd_hda_intel/bind', sound);
  await stage.untilGroup(groups.gpu, 'is mixed', ({ owner }) => owner === 'Mixed');
  const note = await stage.untilEvent(object, 'OwnershipMixed');
  assert.match(note, /not bound to its VFIO driver: 0000:01:00\.1 has snd_hda_intel/);
  assert((await stage.metric('wholegroup_owner_mixed_total')) >= 1);
  assert.equal((await stage.pod('hanging'))?.status.phase, 'Running');
  await stage.removePod('hanging');
  await driversAreBack();
  await stage.untilAllocatable(resources.gpu, 1);
});

test('a member that is pulled out while a pod has the group is told of, and offered again when it is back', async () => {
  await stage.runPod({ podName: 'unplugged', ...wantsGpu });
  await stage.simulate('hotRemove', { address: sound as never });
  await stage.untilEvent(object, 'GroupDegraded');
  assert.equal((await stage.pod('unplugged'))?.status.phase, 'Running');
  await stage.removePod('unplugged');
  await until('the card has its driver', async () =>
    (await stage.binding(groups.gpu)).driver === 'nvidia' ? true : null,
  );
  await stage.untilAllocatable(resources.gpu, 1);
  await stage.untilGroup(groups.gpu, 'is offered alone', ({ conditions = [] }) =>
    conditions.some(({ type, status }) => type === 'Offered' && status === 'True'),
  );
  await stage.simulate('hotAdd', {
    address: sound as never,
    device: {
      id: '10de:22ba',
      class: '040300',
      parent: '0000:00:01.0',
      driver: 'snd_hda_intel',
      resets: [],
      multifunction: 'true',
      sound: { card: '1' },
    } as never,
  });
  await stage.untilGroup(groups.gpu, 'is whole', ({ members }) => members.length === 2);
  await stage.untilAllocatable(resources.gpu, 1);
});

test('a companion that the host begins to use takes the group out of the offer', async () => {
  await stage.simulate('playSound', { card: 1, open: ['pcm0p'] as never });
  await stage.untilAllocatable(resources.gpu, 0);
  const { summary } = await stage.untilGroup(
    groups.gpu,
    'is blocked',
    (status) => status.summary.why !== '',
  );
  assert.equal(summary.why, 'SoundInUse');
  assert.match(await stage.untilEvent(object, 'GroupBlocked'), /0000:01:00\.1/);
  await stage.simulate('playSound', { card: 1, open: [] });
  await stage.untilAllocatable(resources.gpu, 1);
});

test('a cordoned group is not handed out; a pod that has it keeps it', async () => {
  const cordon = async (cordoned: boolean): Promise<void> => {
    await stage.patch(groupPath(stage.home, groups.gpu), {
      spec: { cordoned, cordonReason: 'to be replaced' },
    });
  };
  await stage.runPod({ podName: 'keeps', ...wantsGpu });
  await cordon(true);
  await stays(
    'the pod runs',
    2000,
    async () =>
      (await stage.pod('keeps'))?.status.phase === 'Running' && (await drivers()) === vfio,
  );
  await stage.removePod('keeps');
  await stage.untilGroupPhase(groups.gpu, 'WithHost');
  await stage.untilAllocatable(resources.gpu, 0);
  assert.match(await stage.kubectl('get', 'ig', object), /Cordoned/);
  await cordon(false);
  await stage.untilAllocatable(resources.gpu, 1);
});
