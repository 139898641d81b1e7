// Groups of every form that are taken on demand, used by a pod's program, and given back.
import assert from 'node:assert/strict';
import { type FlowGroup, flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';

/** What the program of a pod has to have done with every function that it was given. */
function checkUse(lines: readonly string[], addresses: readonly string[]): void {
  const said = lines.join('\n');
  assert(lines.includes('viable: yes'), said);
  assert(lines.includes('MAP_DMA: ok'), said);
  for (const address of addresses)
    assert(
      lines.some((line) => line.startsWith(`${address} is `)),
      said,
    );
}

async function claimAndReturn(at: NodeStage, group: FlowGroup): Promise<void> {
  const { stage, guest } = at;
  const before = await guest.bindings(group.leader);
  await stage.untilAllocatable(group.resource, 1);
  const lines = await at.runPod({ name: group.name }, group);
  await at.checkTaken(group);
  const addresses = await guest.endpoints(group.leader);
  checkUse(lines, addresses);
  const nodes = lines.filter((line) => line.startsWith('NODE ')).toSorted();
  const number = await guest.group(group.leader);
  assert.deepEqual(nodes, [`NODE /dev/vfio/${number}`, 'NODE /dev/vfio/vfio'].toSorted());
  const { lease } = await stage.untilGroup(
    group.leader,
    'names its pod',
    (status) => status.phase === 'Assigned' && status.lease?.pod?.name === group.name,
  );
  assert.equal(lease?.pod?.uid, (await stage.pod(group.name))?.metadata.uid);
  await stage.removePod(group.name);
  await at.returned(group, before);
}

function claimScene(what: string, group: FlowGroup): Scene {
  return {
    name: `${what} is taken on demand, used by its pod, and given back`,
    play: async (at) => await claimAndReturn(at, group),
  };
}

/** The narrow way. */
export const twoFunctions = claimScene('a NIC with two functions', flowGroups.twoFunctions);

/** A group with a companion and a bridge. */
export const behindBridge = claimScene('a group behind a bridge', flowGroups.behindBridge);
