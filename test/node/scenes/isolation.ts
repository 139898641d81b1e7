// What a pod cannot reach, and what no policy gets: the group of another pod, the node's own network card and disk.
import assert from 'node:assert/strict';
import { policiesPath, policy } from '../../cluster/stage/machine.ts';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';

/** In a container: opens the group's node as it is, then as one that it makes itself with the right numbers. */
const reach = (group: string, numbers: string): string => `
  vfio-user --group ${group} </dev/null
  mkdir -p /dev/vfio && mknod /dev/vfio/${group} c ${numbers} && echo made
  vfio-user --group ${group} </dev/null
  true`;

async function otherGroup(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const { nic, twoFunctions } = flowGroups;
  const before = await guest.bindings(nic.leader);
  const beforeOther = await guest.bindings(twoFunctions.leader);
  await stage.untilAllocatable(nic.resource, 1);
  await stage.untilAllocatable(twoFunctions.resource, 1);
  await at.runPod({ name: 'mine' }, nic);
  await at.runPod({ name: 'theirs' }, twoFunctions);
  const number = await guest.group(twoFunctions.leader);
  const numbers = await guest.say(
    `printf '%d %d' 0x$(stat -c %t /dev/vfio/${number}) 0x$(stat -c %T /dev/vfio/${number})`,
  );
  const said = await stage.kubectl('exec', 'mine', '--', 'sh', '-c', reach(number, numbers));
  assert.match(said, /open group: No such file or directory/);
  assert.match(said, /made\nopen group: Operation not permitted/);
  // What keeps the pod out is the filter of its control group: the node itself is told that somebody is inside.
  const outside = await guest.run(`vfio-user --group ${number} </dev/null`);
  assert.match(outside.output, /open group: Device or resource busy/);
  await stage.removePod('mine');
  await stage.removePod('theirs');
  await at.returned(nic, before);
  await at.returned(twoFunctions, beforeOther);
}

/** Another pod's group. */
export const otherPodsGroup: Scene = {
  name: 'a pod opens its own group and no other, even by a node that it makes itself',
  play: otherGroup,
};

async function addressOf(at: NodeStage, of: string): Promise<string> {
  // The function is two links above the virtio device.
  const path = await at.guest.say(`readlink -f ${of}`);
  const [address] = path.match(/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=\/virtio)/) ?? [];
  assert(address !== undefined, path);
  return address;
}

async function neverOffered(at: NodeStage): Promise<void> {
  const { stage, guest } = at;
  const root = await guest.say(`basename $(readlink -f $(findfs LABEL=wholegroup-node))`);
  const cluster = await guest.say(`ip route | sed -n 's/^default.* dev \\([^ ]*\\).*/\\1/p'`);
  const wanted = {
    'root-disk': { address: await addressOf(at, `/sys/class/block/${root}`), kind: 'RootDisk' },
    'last-nic': {
      address: await addressOf(at, `/sys/class/net/${cluster}`),
      kind: 'NetworkDefaultRoute',
    },
  };
  for (const [name, { address, kind }] of Object.entries(wanted)) {
    const before = await guest.bindings(address);
    const resourceName = `example.com/${name}`;
    const devices = [{ address }];
    const waive = ['FilesystemMounted', 'NetworkInterfaceUp', 'NetworkAddress'];
    const spec = { resourceName, devices, companions: 'Any', waive };
    await stage.create(policiesPath, policy(name, spec));
    await stage.untilGroup(address, `is kept by ${kind}`, ({ blockers = [] }) =>
      blockers.some((blocker) => blocker.kind === kind),
    );
    assert.equal(await stage.allocatable(resourceName), 0);
    assert.equal(await guest.bindings(address), before);
    await stage.remove(`${policiesPath}/${name}`);
  }
}

/** What the node lives on. */
export const nodesOwn: Scene = {
  name: "the node's last network card and its root disk are offered to nobody, whatever a policy waives",
  play: neverOffered,
};
