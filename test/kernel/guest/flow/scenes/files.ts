// Scenes of a kernel with iommufd: pods that get the files of their devices and /dev/iommu, and those that do not ask
// for them.
import { readdirSync } from 'node:fs';
import { type FlowGroup, flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingsText, endpointsOf, groupOf } from '../sysfs.ts';
import { VfioProgram } from '../vfio-program.ts';
import { check } from '../waiting.ts';
import { claimWithAgent } from './claims.ts';

/** Files of the devices of a group, as they are named now. */
function filesOf(group: FlowGroup): readonly string[] {
  return endpointsOf(group.leader).flatMap((address) =>
    readdirSync(`/sys/bus/pci/devices/${address}/vfio-dev`).map(
      (name) => `/dev/vfio/devices/${name}`,
    ),
  );
}

async function byFiles(machine: FlowMachine, group: FlowGroup): Promise<Figures> {
  await machine.shipWithAccess('Cdev');
  const figures = await claimWithAgent(machine, group, () => filesOf(group));
  await machine.shipWithAccess(null);
  return figures;
}

/** What a pod is given: these nodes, and no other. */
async function nodesWithAccess(
  machine: FlowMachine,
  access: string | null,
  wanted: (group: FlowGroup) => readonly string[],
): Promise<Figures> {
  const group = flowGroups.nic;
  const before = bindingsText(group.leader);
  await machine.shipWithAccess(access);
  const uid = machine.createPod(group);
  await machine.running(uid);
  const nodes = machine.containers.nodesOf(uid);
  const same = [...nodes].sort().join() === [...wanted(group)].sort().join();
  check(same, `it was given ${nodes.join(', ')}`);
  await machine.deletePod(uid);
  await machine.returned(group, before);
  await machine.shipWithAccess(null);
  return {};
}

/** Somebody inside by a file: nobody comes in by the group, nor by a context of iommufd of his own. */
async function nobodyElse(machine: FlowMachine): Promise<Figures> {
  const group = flowGroups.twoFunctions;
  const before = bindingsText(group.leader);
  await machine.shipWithAccess('Cdev');
  const uid = machine.createPod(group);
  await machine.running(uid);
  const refusal = async (start: Promise<VfioProgram>): Promise<string> =>
    start.then(
      async (program) => {
        await program.kill();
        return 'it could be opened';
      },
      (thrown: unknown) => String(thrown),
    );
  const byGroup = await refusal(
    VfioProgram.start(groupOf(group.leader), endpointsOf(group.leader)),
  );
  check(byGroup.includes('open group: Device or resource busy'), byGroup);
  const byFile = await refusal(VfioProgram.startByFiles(filesOf(group)));
  check(byFile.includes('BIND_IOMMUFD: Invalid argument'), byFile);
  await machine.deletePod(uid);
  await machine.returned(group, before);
  await machine.shipWithAccess(null);
  return {};
}

const { twoFunctions, nvme } = flowGroups;

/** One scene each. */
export const fileScenes: readonly Scene[] = [
  {
    name: 'the files of a NIC with two functions are given out, left alone while open, and given back',
    run: (machine) => byFiles(machine, twoFunctions),
  },
  {
    name: 'the file of an NVMe disk is given out, left alone while open, and given back',
    run: (machine) => byFiles(machine, nvme),
  },
  {
    name: 'access Cdev: a pod gets the files of its devices and /dev/iommu, and no group',
    run: (machine) =>
      nodesWithAccess(machine, 'Cdev', (group) => ['/dev/iommu', ...filesOf(group)]),
  },
  {
    name: 'access Auto: a pod gets its group, though there are files',
    run: (machine) =>
      nodesWithAccess(machine, 'Auto', (group) => [
        '/dev/vfio/vfio',
        `/dev/vfio/${groupOf(group.leader)}`,
      ]),
  },
  { name: 'whoever is inside by a file is alone in the group', run: nobodyElse },
];
