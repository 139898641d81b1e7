// A VFIO driver's side of bind and unbind: registration of the device and its group, and the wait for its
// users (drivers/vfio/{vfio_main,group}.c, drivers/vfio/pci/vfio_pci_core.c).
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { DriverCall } from '../objects/driver.ts';
import { Group } from '../objects/group.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { VfioDevice, VfioGroup } from '../objects/vfio-device.ts';
import type { Task } from '../vfs.ts';
import { addChild, removeChild, virtualParent } from './children.ts';
import { hasPowerManagement } from './device-facts.ts';
import { leaveGroup, placeInGroup } from './grouping.ts';
import { detachContainer } from './container.ts';

const vfioMajor = 243;
const vfioDevMajor = 244;
/** What a removal takes once the last user has gone. */
const afterUsersMs = 3;

/** The no-IOMMU group that is made for a device that has none. */
function noiommuGroup(machine: Machine, device: PciDevice): Group {
  const group = new Group(machine.groupIds.take(), { type: 'unknown', name: 'vfio-noiommu' });
  placeInGroup(machine, device, group);
  machine.taint |= 64;
  machine.log(`vfio-pci ${device.address}: Adding kernel taint for vfio-noiommu group on device`);
  return group;
}

/** vfio_device_set_group: the VFIO group of the device's IOMMU group, made with the first member. */
function setGroup(machine: Machine, device: PciDevice): VfioGroup | null {
  let { group } = device;
  const noiommu = group === null;
  if (group === null) {
    if (!machine.noiommuMode) return null;
    group = noiommuGroup(machine, device);
  }
  const found = machine.vfioGroups.find((vfio) => vfio.group === group);
  if (found !== undefined) {
    found.drivers += 1;
    return found;
  }
  const made = new VfioGroup(group, noiommu);
  made.drivers = 1;
  made.node = addChild(
    machine,
    {
      name: made.name,
      subsystem: 'vfio',
      parent: virtualParent(),
      devname: `vfio/${made.name}`,
      devno: `${vfioMajor}:${machine.ids('vfio-minor').take()}`,
    },
    machine.booting,
  );
  machine.vfioGroups.push(made);
  return made;
}

/** vfio_device_remove_group: the last member takes the group's node with it and frees whoever had claimed. */
function removeGroup(machine: Machine, vfio: VfioDevice): void {
  const { group } = vfio;
  if (group.noiommu) leaveGroup(machine, vfio.pci);
  group.drivers -= 1;
  if (group.drivers > 0) return;
  machine.vfioGroups.splice(machine.vfioGroups.indexOf(group), 1);
  if (group.node !== null) {
    machine.ids('vfio-minor').give(Number(group.node.devno?.split(':')[1]));
    removeChild(machine, group.node);
    group.node = null;
  }
  if (group.container !== null) detachContainer(group);
  group.group = null;
}

/** vfio_pci_core_register_device: null, or why the function cannot be taken. */
export function registerVfio(call: DriverCall): Errno | null {
  const { machine, device } = call;
  if (device.spec.header !== 'endpoint') return 'EINVAL';
  if (
    device.dead ||
    machine.faults.onDevice('dead', { address: device.address, driver: null }) !== null
  ) {
    device.dead = true;
  }
  if (device.sriov !== null && device.sriov.num > 0) {
    machine.log(`vfio-pci ${device.address}: Cannot bind to PF with SR-IOV enabled`);
    return 'EBUSY';
  }
  const group = setGroup(machine, device);
  if (group === null) return 'EINVAL';
  const vfio = new VfioDevice(device, machine.vfioIds.take(), group);
  if (machine.profile.vfioDev) {
    const name = `vfio${vfio.index}`;
    const file = machine.spec.cdev && !group.noiommu;
    vfio.node = addChild(
      machine,
      {
        name,
        subsystem: 'vfio-dev',
        parent: device,
        ...(file
          ? { devname: `vfio/devices/${name}`, devno: `${vfioDevMajor}:${vfio.index}` }
          : {}),
      },
      machine.booting,
    );
  }
  group.devices.push(vfio);
  device.vfio = vfio;
  // Idle VFIO devices are put to sleep (disable_idle_d3 unset).
  device.runtimeStatus = 'suspended';
  device.powerState = hasPowerManagement(device) ? 'D3hot' : 'D0';
  return null;
}

/** Takes the device out of what userspace can find. */
function unlist(machine: Machine, vfio: VfioDevice): void {
  const at = vfio.group.devices.indexOf(vfio);
  if (at >= 0) vfio.group.devices.splice(at, 1);
  vfio.listed = false;
  if (vfio.node !== null) removeChild(machine, vfio.node);
  vfio.node = null;
}

/** The wait for all users: interruptible until the first signal, uninterruptible after it. */
async function waitForUsers(machine: Machine, vfio: VfioDevice, task: Task): Promise<void> {
  if (vfio.references === 0) return;
  const { address } = vfio.pci;
  machine.log(
    `vfio-pci ${address}: No device request channel registered, blocked until released by user`,
  );
  const process = machine.processes.get(task.pid);
  const interrupted = (): void => {
    task.state = 'D';
    task.onSignal = null;
    machine.log(
      `vfio-pci ${address}: Device is currently in use, task "${process?.comm ?? ''}" (${task.pid}) blocked until device is released`,
    );
  };
  task.state = 'S';
  if (process?.dying === true) interrupted();
  else task.onSignal = interrupted;
  await new Promise<void>((resolve) => {
    vfio.onUnused = resolve;
  });
  vfio.onUnused = null;
  task.onSignal = null;
  task.state = 'R';
}

/** vfio_unregister_group_dev and what vfio-pci does around it. */
export async function unregisterVfio(call: DriverCall): Promise<void> {
  const { machine, device, task } = call;
  const { vfio } = device;
  if (vfio === null) return;
  if (machine.profile.unregisterBeforeWait) unlist(machine, vfio);
  vfio.put();
  await waitForUsers(machine, vfio, task);
  const wait = machine.pause(task, afterUsersMs);
  if (wait !== undefined) await wait;
  if (!machine.profile.unregisterBeforeWait) unlist(machine, vfio);
  removeGroup(machine, vfio);
  machine.vfioIds.give(vfio.index);
  device.vfio = null;
}
