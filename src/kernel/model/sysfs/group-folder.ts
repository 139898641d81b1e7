// /sys/kernel/iommu_groups (drivers/iommu/iommu.c). Groups emit no events.
import type { PciAddress } from '../../../pci/address.ts';
import type { Machine } from '../machine.ts';
import type { Group } from '../objects/group.ts';
import { value } from '../operations/answers.ts';
import { writeGroupType } from '../operations/group-type.ts';
import { dir, linkTo, listing, textFile, writableFile } from '../tree.ts';
import type { VDir } from '../vfs.ts';
import { nodeAt } from './child-folder.ts';
import type { DeviceFolders } from './device-folder.ts';

const msiWindow: Readonly<Record<string, string>> = {
  intel: '0x00000000fee00000 0x00000000feefffff msi',
  amd: '0x00000000fee00000 0x00000000feefffff msi',
};

/** Lines of reserved_regions, by start address. */
function reservedRegions(machine: Machine, group: Group): string {
  const lines = new Set<string>();
  for (const device of group.devices) {
    if (device.kind === 'pci') for (const line of device.spec.reservedRegions) lines.add(line);
  }
  const msi = msiWindow[machine.spec.iommu.kind];
  if (msi !== undefined && group.hasDefaultDomain) lines.add(msi);
  return [...lines]
    .sort()
    .map((line) => `${line}\n`)
    .join('');
}

function membersFolder(machine: Machine, group: Group, folders: DeviceFolders): VDir {
  const from = `${group.path}/devices`;
  return listing(
    () => [...group.devices].map((device) => device.name),
    (name) => {
      const pci = machine.devices.get(name as PciAddress);
      if (pci !== undefined) return group.devices.has(pci) ? folders.linkTo(from, pci) : null;
      const other = machine.platform.get(name);
      if (other === undefined || !group.devices.has(other)) return null;
      return linkTo(from, other.path, () => nodeAt(machine, other.path));
    },
  );
}

function groupFolder(machine: Machine, group: Group, folders: DeviceFolders): VDir {
  return dir({
    devices: membersFolder(machine, group, folders),
    type: writableFile(
      0o644,
      (data, task) => (data === '' ? value(0) : writeGroupType(machine, group, data, task)),
      () => value(`${group.type}\n`),
    ),
    reserved_regions: textFile(() => reservedRegions(machine, group)),
    ...(group.name === null ? {} : { name: textFile(() => `${group.name}\n`) }),
  });
}

/** The folder of all groups. */
export function groupsFolder(machine: Machine, folders: DeviceFolders): VDir {
  const made = new WeakMap<Group, VDir>();
  return listing(
    () => [...machine.groups.keys()].map(String),
    (name) => {
      const group = machine.groups.get(Number(name));
      if (group === undefined || String(group.id) !== name) return null;
      let folder = made.get(group);
      if (folder === undefined) {
        folder = groupFolder(machine, group, folders);
        made.set(group, folder);
      }
      return folder;
    },
  );
}
