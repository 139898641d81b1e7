// How a pod gets at its devices: as another user than root, and by the devices' own files instead of the group's.
import assert from 'node:assert/strict';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import { whileOffered } from '../offer.ts';
import type { Scene } from '../scene.ts';

const user = 1000;
const users = 2000;

/** Owner and mode of a group's node as a pod has it. */
async function ownerIn(at: NodeStage, pod: string, path: string): Promise<string> {
  const look = ['--', 'stat', '-c', '%u:%g %a', path];
  return (await at.stage.kubectl('exec', pod, ...look)).trim();
}

async function asUser(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const group = flowGroups.nic;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  // The runtime gives what is delivered by CDI to the user of the container, where the spec names no owner.
  await at.runPod({ name: 'user', user }, group);
  const path = `/dev/vfio/${await guest.group(group.leader)}`;
  assert.equal(await ownerIn(at, 'user', path), `${user}:${user} 600`);
  // In the container alone.
  assert.equal(await guest.say(`stat -c '%u:%g' ${path}`), '0:0');
  await stage.removePod('user');
  await at.returned(group, before);
  const deviceNodes = { uid: 0, gid: users, mode: '0660' };
  await whileOffered(at, group, { deviceNodes }, async () => {
    await at.admitPod({ name: 'outside', user }, group);
    await at.hears('outside', 'open group: Permission denied');
    await stage.removePod('outside');
    await at.returned(group, before);
    const lines = await at.runPod({ name: 'inside', user, group: users }, group);
    assert(lines.includes('viable: yes') && lines.includes('MAP_DMA: ok'), lines.join('\n'));
    assert.equal(await ownerIn(at, 'inside', path), `0:${users} 660`);
    await stage.removePod('inside');
    await at.returned(group, before);
  });
}

/** Not root. */
export const otherUser: Scene = {
  name: 'a pod that is not root opens its group, and only as the users that the policy names where it names some',
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
