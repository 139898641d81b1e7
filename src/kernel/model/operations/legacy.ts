// Kernels before DMA ownership (5.10): a group is judged viable by walking its members, and a native driver
// that binds into a group in use takes the host down (drivers/vfio/vfio.c: vfio_dev_viable, vfio_group_nb_verify).
import type { Machine } from '../machine.ts';
import type { Driver } from '../objects/driver.ts';
import type { Group, GroupDevice } from '../objects/group.ts';
import type { PciDevice } from '../objects/pci-device.ts';

/** vfio_dev_viable: driverless, on VFIO, on pci-stub, or any function that is no endpoint. */
function deviceViable(device: GroupDevice): boolean {
  if (device.kind === 'platform') return device.driverName === null;
  if (device.driver === null || device.vfio !== null) return true;
  return device.driver.name === 'pci-stub' || device.spec.header !== 'endpoint';
}

/** vfio_group_viable. */
export function legacyViable(group: Group): boolean {
  return [...group.devices].every(deviceViable);
}

/** The VFIO side of a device's group with users in a container. */
function inUse(machine: Machine, group: Group): boolean {
  return machine.vfioGroups.some((vfio) => vfio.group === group && vfio.containerUsers > 0);
}

/** The group notifier after a bind: BUG_ON when the group is in use and no longer viable. */
export function boundOnLegacy(machine: Machine, device: PciDevice, driver: Driver): void {
  if (machine.profile.ownership || device.group === null) return;
  if (!inUse(machine, device.group) || deviceViable(device)) return;
  machine.crashed = `kernel BUG at drivers/vfio/vfio.c:698! (${driver.name} bound to ${device.address})`;
  machine.log(machine.crashed);
}
