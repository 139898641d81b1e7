// A disk that the node uses is not offered, and everybody is told; when it is free again, a pod gets it.
import assert from 'node:assert/strict';
import { groupObjectName } from '../../../src/api/iommu-group.ts';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';

const disk = flowGroups.nvme;

async function mounted(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(disk.leader);
  await stage.untilAllocatable(disk.resource, 1);
  const block = await guest.say(
    `ls /sys/bus/pci/devices/${disk.leader}/nvme/*/ | grep -o 'nvme[0-9]*n[0-9]*$' | head -n 1`,
  );
  await guest.say(
    `mke2fs -q -F /dev/${block} && mkdir -p /mnt/data && mount /dev/${block} /mnt/data`,
  );
  await stage.untilAllocatable(disk.resource, 0);
  const object = groupObjectName(guest.name, disk.leader);
  const table = await stage.kubectl('get', 'ig', object);
  assert.match(table, /example\.com\/nvme +False +FilesystemMounted/);
  assert.match(await stage.untilEvent(object, 'GroupBlocked'), /\/mnt\/data|mounted/);
  await at.createPod({ name: 'wants-disk' }, disk);
  await at.cannotBeScheduled('wants-disk', `Insufficient ${disk.resource}`);
  assert.equal(await guest.bindings(disk.leader), before);
  await guest.say('umount /mnt/data');
  await at.holds('wants-disk');
  await at.checkTaken(disk);
  assert.equal(await guest.say(`[ -e /dev/${block} ] && echo there || echo gone`), 'gone');
  await stage.removePod('wants-disk');
  await at.returned(disk, before);
  await guest.say(`until [ -b /dev/${block} ]; do usleep 100000; done`);
}

/** An NVMe disk. */
export const mountedDisk: Scene = {
  name: 'an NVMe disk is kept while it is mounted, in words, and goes to the waiting pod when it is not',
  play: mounted,
};
