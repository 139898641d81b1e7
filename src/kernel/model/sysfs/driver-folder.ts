// /sys/bus/pci: the folders of drivers, the links of devices, and the files of the bus.
import type { PciAddress } from '../../../pci/address.ts';
import type { Machine } from '../machine.ts';
import type { Driver } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { value } from '../operations/answers.ts';
import { slotsOf } from '../operations/bus.ts';
import {
  writeAutoprobe,
  writeBind,
  writeDriversProbe,
  writeNewId,
  writeRemoveId,
  writeUnbind,
} from '../operations/driver-files.ts';
import { writeRescan } from '../operations/functions.ts';
import { dir, linkTo, listing, textFile, writableFile } from '../tree.ts';
import type { Attempt, Task, VDir, VFile, VNode } from '../vfs.ts';
import { nodeAt } from './child-folder.ts';
import type { DeviceFolders } from './device-folder.ts';

/** A write-only file; a write of no bytes does not reach it. */
function command(write: (data: string, task: Task) => Attempt<number>): VFile {
  return writableFile(0o200, (data, task) => (data === '' ? value(0) : write(data, task)));
}

const fileNames = ['bind', 'unbind', 'new_id', 'remove_id', 'uevent', 'module'] as const;

function driverFile(machine: Machine, driver: Driver, name: string): VNode | null {
  switch (name) {
    case 'bind':
      return driver.fixed ? null : command((data, task) => writeBind(machine, driver, data, task));
    case 'unbind':
      return driver.fixed
        ? null
        : command((data, task) => writeUnbind(machine, driver, data, task));
    case 'new_id':
      return command((data, task) => writeNewId(machine, driver, data, task));
    case 'remove_id':
      return command((data) => writeRemoveId(driver, data));
    case 'uevent':
      return command((data) => value(data.length));
    case 'module': {
      const path = `/sys/module/${driver.module ?? ''}`;
      return driver.module === null ? null : linkTo(driver.path, path, () => nodeAt(machine, path));
    }
    default:
      return null;
  }
}

function driverFolder(machine: Machine, driver: Driver, folders: DeviceFolders): VDir {
  return listing(
    () => [
      ...fileNames.filter((name) => driverFile(machine, driver, name) !== null),
      ...[...driver.linked].map((device) => device.address),
    ],
    (name) => {
      const file = driverFile(machine, driver, name);
      if (file !== null) return file;
      const device = machine.devices.get(name as PciAddress);
      return device !== undefined && driver.linked.has(device)
        ? folders.linkTo(driver.path, device)
        : null;
    },
  );
}

/** Hot-plug slots: the address each stands for. */
function slotsFolder(machine: Machine): VDir {
  const bridgeOf = (name: string): PciDevice | undefined => {
    for (const device of machine.devices.values())
      if (slotsOf(device).includes(name)) return device;
    return undefined;
  };
  return listing(
    () => [...machine.devices.values()].flatMap((device) => [...slotsOf(device)]),
    (name) => {
      const bridge = bridgeOf(name);
      const bus = bridge?.children.find((child) => child.subsystem === 'pci_bus')?.name;
      if (bridge === undefined || bus === undefined) return null;
      // Below a PCI Express port there is only slot 0, whatever its name.
      const slot = bridge.spec.conventionalBelow ? Number.parseInt(name, 10) : 0;
      return dir({
        address: textFile(() => `${bus}:${slot.toString(16).padStart(2, '0')}\n`),
        power: textFile(() => '1\n', 0o644),
        adapter: textFile(() => '1\n'),
        attention: textFile(() => '0\n', 0o644),
        latch: textFile(() => '1\n'),
        cur_bus_speed: textFile(() => 'Unknown\n'),
        max_bus_speed: textFile(() => 'Unknown\n'),
      });
    },
  );
}

/** /sys/bus/pci. */
export function pciBusFolder(machine: Machine, folders: DeviceFolders): VDir {
  const devices = listing(
    () => [...machine.devices.keys()],
    (name) => {
      const device = machine.devices.get(name as PciAddress);
      return device === undefined ? null : folders.linkTo('/sys/bus/pci/devices', device);
    },
  );
  const made = new WeakMap<Driver, VDir>();
  const drivers = listing(
    () => [...machine.drivers.keys()],
    (name) => {
      const driver = machine.drivers.get(name);
      if (driver === undefined) return null;
      let folder = made.get(driver);
      if (folder === undefined) {
        folder = driverFolder(machine, driver, folders);
        made.set(driver, folder);
      }
      return folder;
    },
  );
  return dir({
    devices,
    drivers,
    slots: slotsFolder(machine),
    drivers_probe: command((data, task) => writeDriversProbe(machine, data, task)),
    drivers_autoprobe: writableFile(
      0o644,
      (data) => (data === '' ? value(0) : writeAutoprobe(machine, data)),
      () => value(machine.autoprobe ? '1\n' : '0\n'),
    ),
    rescan: command((data, task) => writeRescan(machine, data, task)),
    resource_alignment: writableFile(
      0o644,
      (data) => value(data.length),
      () => value('\n'),
    ),
    uevent: command((data) => value(data.length)),
  });
}
