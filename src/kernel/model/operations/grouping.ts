// Functions join and leave IOMMU groups (iommu_probe_device, iommu_release_device): the kernel's algorithm
// of ../grouping.ts applied to the running machine.
import type { Machine } from '../machine.ts';
import { groupToJoin } from '../grouping.ts';
import { Group } from '../objects/group.ts';
import type { PciDevice } from '../objects/pci-device.ts';

/** Type of new default domains: iommu=pt, or what the machine says. */
function defaultDomainType(machine: Machine): string {
  const { iommu, cmdline } = machine.spec;
  if (iommu.domainType !== undefined) return iommu.domainType;
  return /(^|\s)(iommu=pt|iommu\.passthrough=1)(\s|$)/.test(cmdline) ? 'identity' : 'DMA-FQ';
}

/** A new group with this number. */
export function makeGroup(machine: Machine, id: number): Group {
  const group = new Group(id, { type: defaultDomainType(machine), name: null });
  machine.groups.set(id, group);
  return group;
}

/** Makes a function a member. */
export function placeInGroup(machine: Machine, device: PciDevice, group: Group): void {
  machine.groups.set(group.id, group);
  group.devices.add(device);
  device.group = group;
  machine.log(`pci ${device.address}: Adding to iommu group ${group.id}`);
}

/** Groups a function that was just found; without an IOMMU it gets none. */
export function joinGroup(machine: Machine, device: PciDevice): void {
  if (!machine.hasIommu) return;
  const tree = machine.groupingTree();
  const { spec } = device;
  // pci_scan_slot marks functions above 0 only after they were grouped.
  const asFound = { ...spec, multifunction: spec.headerMultifunction ?? spec.multifunction };
  const joined = groupToJoin(tree, asFound, (address) => machine.devices.get(address)?.group?.id);
  const id = joined ?? machine.groupIds.take();
  placeInGroup(machine, device, machine.groups.get(id) ?? makeGroup(machine, id));
}

/** Takes a function out of its group; an empty group is freed and its number given again. */
export function leaveGroup(machine: Machine, device: PciDevice): void {
  const { group } = device;
  if (group === null) return;
  group.devices.delete(device);
  device.group = null;
  machine.log(`pci ${device.address}: Removing from iommu group ${group.id}`);
  if (group.devices.size > 0) return;
  machine.groups.delete(group.id);
  machine.groupIds.give(group.id);
}
