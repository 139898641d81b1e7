// Hangs the model's own folders into the surface. Surroundings add theirs after this.
import type { Machine } from '../machine.ts';
import { dir, textFile } from '../tree.ts';
import { blockFolder, classFolder, devicesFolder, otherBusFolder } from './class-folders.ts';
import { devFolder } from './dev-folder.ts';
import { DeviceFolders } from './device-folder.ts';
import { pciBusFolder } from './driver-folder.ts';
import { groupsFolder } from './group-folder.ts';
import { moduleFolder } from './module-folder.ts';

/** Puts /sys and /dev in place. */
export function mountSysfs(machine: Machine): void {
  const { surface } = machine;
  const folders = new DeviceFolders(machine);
  surface.put('/sys/bus/pci', pciBusFolder(machine, folders));
  surface.merge('/sys/bus', otherBusFolder(machine));
  surface.merge('/sys/devices', devicesFolder(machine, folders));
  surface.merge('/sys/class', classFolder(machine));
  surface.merge('/sys/block', blockFolder(machine));
  surface.merge('/sys/module', moduleFolder(machine));
  surface.put('/sys/kernel/iommu_groups', groupsFolder(machine, folders));
  surface.put(
    '/sys/kernel/uevent_seqnum',
    textFile(() => `${machine.uevents.sequence}\n`),
  );
  surface.merge('/dev', devFolder(machine));
  surface.merge('/tmp', dir({}));
  surface.merge('/sys/fs', dir({}));
}
