// Today's VFIO device files of a group: their numbers do not survive a reboot, and vfioX not even an unbind.
import { type Known, known } from '../base/known.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { PciAddress } from '../pci/address.ts';
import { devicesFolder } from './function-reader.ts';
import type { VfioNodes } from './host.ts';
import { orAbsent, readNames } from './reading.ts';

/** Device files as they are named now. A member without one is left out; a folder that cannot be read is unknown. */
export async function readVfioNodes(
  kernel: KernelFs,
  groupNumber: number,
  members: readonly PciAddress[],
): Promise<Known<VfioNodes>> {
  const groups = orAbsent(await readNames(kernel, '/dev/vfio'), []);
  if (!groups.known) return groups;
  const cdevs = orAbsent(await readNames(kernel, '/dev/vfio/devices'), []);
  if (!cdevs.known) return cdevs;
  const devices = [];
  for (const address of members) {
    const names = orAbsent(await readNames(kernel, `${devicesFolder}/${address}/vfio-dev`), []);
    if (!names.known) return names;
    for (const name of names.value) {
      if (cdevs.value.includes(name)) devices.push({ address, path: `/dev/vfio/devices/${name}` });
    }
  }
  const group = groups.value.includes(String(groupNumber)) ? `/dev/vfio/${groupNumber}` : null;
  return known({ group, devices });
}
