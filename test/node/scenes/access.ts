// How a pod gets at its devices: as another user than root, and by the devices' own files instead of the group's.
import assert from 'node:assert/strict';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import { whileOffered } from '../offer.ts';
import type { Scene } from '../scene.ts';

const user = 1000;

async function asUser(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const group = flowGroups.nic;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  // VFIO's nodes are root's.
  await at.admitPod({ name: 'not-its-owner', user }, group);
  await stage.untilPhase('not-its-owner', 'Failed');
  assert.match(await stage.logs('not-its-owner'), /^open group: Permission denied$/m);
  await stage.removePod('not-its-owner');
  await at.returned(group, before);
  const deviceNodes = { uid: user, gid: user, mode: '0660' };
  await whileOffered(at, group, { deviceNodes }, async () => {
    const lines = await at.runPod({ name: 'its-owner', user }, group);
    assert(lines.includes('viable: yes') && lines.includes('MAP_DMA: ok'), lines.join('\n'));
    const path = `/dev/vfio/${await guest.group(group.leader)}`;
    const look = `id -u && stat -c '%u:%g %a' ${path}`;
    const said = await stage.kubectl('exec', 'its-owner', '--', 'sh', '-c', look);
    assert.equal(said, `${user}\n${user}:${user} 660\n`);
    // In the container alone.
    assert.match(await guest.say(`stat -c '%u:%g' ${path}`), /^0:0$/);
    await stage.removePod('its-owner');
    await at.returned(group, before);
  });
}

/** Not root. */
export const otherUser: Scene = {
  name: 'a pod that is not root opens its group when the policy gives it the nodes, and not before',
  play: asUser,
};

async function byFiles(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const group = flowGroups.twoFunctions;
  const before = await guest.bindings(group.leader);
  await whileOffered(at, group, { access: 'Cdev' }, async () => {
    const lines = await at.runPod({ name: 'by-files', byFiles: true }, group);
    await at.checkTaken(group);
    const addresses = await guest.endpoints(group.leader);
    const files = await Promise.all(
      addresses.map(async (address) => {
        const name = await guest.say(`ls /sys/bus/pci/devices/${address}/vfio-dev`);
        return `/dev/vfio/devices/${name}`;
      }),
    );
    const said = lines.join('\n');
    const nodes = lines.filter((line) => line.startsWith('NODE ')).toSorted();
    const wanted = ['/dev/iommu', ...files].map((path) => `NODE ${path}`).toSorted();
    assert.deepEqual(nodes, wanted, said);
    assert(lines.includes('MAP_DMA: ok'), said);
    for (const path of files) {
      assert(
        lines.some((line) => line.startsWith(`${path} is 8086:`)),
        said,
      );
      assert(lines.includes(`${path} is reset`), said);
    }
    // Whoever is inside by a device's file has the whole group.
    const number = await guest.group(group.leader);
    const outside = await guest.run(`vfio-user --group ${number} </dev/null`);
    assert.match(outside.output, /open group: Device or resource busy/);
    const owned = await stage.untilGroup(
      group.leader,
      'is seen in use',
      ({ phase, owner }) => phase === 'Assigned' && owner === 'Userspace',
    );
    assert.equal(owned.lease?.pod?.name, 'by-files');
    await stage.removePod('by-files');
    await at.returned(group, before);
  });
}

/** Files of devices. */
export const deviceFiles: Scene = {
  name: 'a pod gets the files of its devices and /dev/iommu, and no group, where the policy says so',
  play: byFiles,
};
