// /sys/class, /sys/block, /sys/bus other than pci and /sys/devices, from the objects that exist. What surroundings hang in joins these.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { dir, linkTo, listing, textFile } from '../tree.ts';
import type { VDir } from '../vfs.ts';
import { childFolder, isVisible, nodeAt } from './child-folder.ts';
import type { DeviceFolders } from './device-folder.ts';

/** A folder of links to the visible children of a subsystem. */
function childLinks(machine: Machine, from: string, subsystem: string): VDir {
  return listing(
    () =>
      machine.children
        .of(subsystem)
        .filter(isVisible)
        .map(({ name }) => name),
    (name) => {
      const child = machine.children.get(subsystem, name);
      if (child === undefined || !isVisible(child)) return null;
      return linkTo(from, child.path, () => childFolder(machine, child));
    },
  );
}

const alwaysThere = ['net', 'block', 'iommu', 'tty', 'bdi', 'pci_bus'] as const;

/** Class or bus, by what its children are. */
function subsystems(machine: Machine, bus: boolean): string[] {
  const names = new Set<string>(bus ? ['platform'] : alwaysThere);
  for (const subsystem of machine.children.subsystems()) {
    const [first] = machine.children.of(subsystem);
    if (first !== undefined && first.bus === bus && subsystem !== 'queues') names.add(subsystem);
  }
  if (!bus && machine.modules.has('vfio')) names.add('vfio');
  if (!bus && machine.modules.has('vfio') && machine.profile.vfioDev) names.add('vfio-dev');
  return [...names];
}

/** The same for one name, without going through all of them. */
function isSubsystem(machine: Machine, name: string, bus: boolean): boolean {
  const [first] = machine.children.of(name);
  if (first !== undefined) return first.bus === bus && name !== 'queues';
  return subsystems(machine, bus).includes(name);
}

/** /sys/class. */
export function classFolder(machine: Machine): VDir {
  return listing(
    () => subsystems(machine, false),
    (name) =>
      isSubsystem(machine, name, false) ? childLinks(machine, `/sys/class/${name}`, name) : null,
  );
}

/** /sys/block: disks, no partitions. */
export function blockFolder(machine: Machine): VDir {
  const isDisk = (child: ChildDevice): boolean =>
    child.facts.kind !== 'block' || !child.facts.partition;
  return listing(
    () =>
      machine.children
        .of('block')
        .filter(isDisk)
        .map(({ name }) => name),
    (name) => {
      const child = machine.children.get('block', name);
      return child === undefined || !isDisk(child)
        ? null
        : linkTo('/sys/block', child.path, () => childFolder(machine, child));
    },
  );
}

/** Buses other than pci. */
export function otherBusFolder(machine: Machine): VDir {
  return listing(
    () => subsystems(machine, true),
    (name) => {
      if (!isSubsystem(machine, name, true)) return null;
      const drivers = new Set<string>();
      for (const child of machine.children.of(name))
        if (child.driver !== null) drivers.add(child.driver);
      for (const device of machine.platform.values()) {
        if (device.bus === name && device.driverName !== null) drivers.add(device.driverName);
      }
      return dir({
        devices: childLinks(machine, `/sys/bus/${name}/devices`, name),
        drivers: dir(Object.fromEntries([...drivers].map((driver) => [driver, dir({})]))),
      });
    },
  );
}

/** Children that hang under fixed folders, as a tree of folders below `prefix`. */
function rootChildren(machine: Machine, prefix: string): VDir {
  const deeper = (): string[] => {
    const names: string[] = [];
    for (const [path] of machine.children.roots()) {
      if (path.startsWith(`${prefix}/`))
        names.push(path.slice(prefix.length + 1).split('/')[0] as string);
    }
    return names;
  };
  const here = (): readonly ChildDevice[] => {
    for (const [path, children] of machine.children.roots()) if (path === prefix) return children;
    return [];
  };
  const glues = (): string[] => here().map((child) => child.folderBetween ?? child.name);
  return listing(
    () => [...new Set([...glues(), ...deeper()])],
    (name) => {
      if (deeper().includes(name)) return rootChildren(machine, `${prefix}/${name}`);
      const inside = here().filter((child) => (child.folderBetween ?? child.name) === name);
      if (inside.length === 0) return null;
      const [first] = inside;
      if (first?.folderBetween === null) return childFolder(machine, first);
      return listing(
        () =>
          here()
            .filter((child) => child.folderBetween === name && isVisible(child))
            .map((child) => child.name),
        (wanted) => {
          const child = here().find((one) => one.folderBetween === name && one.name === wanted);
          return child === undefined || !isVisible(child) ? null : childFolder(machine, child);
        },
      );
    },
  );
}

/** A device of another bus, as far as it is needed: its subsystem and driver. */
function platformFolder(machine: Machine, name: string): VDir | null {
  const device = machine.platform.get(name);
  if (device === undefined) return null;
  const bus = `/sys/bus/${device.bus}`;
  const driver = `${bus}/drivers/${device.driverName ?? ''}`;
  return dir({
    subsystem: linkTo(device.path, bus, () => nodeAt(machine, bus)),
    driver: () =>
      device.driverName === null
        ? null
        : linkTo(device.path, driver, () => nodeAt(machine, driver)),
    iommu_group: () => {
      const path = device.group?.path;
      return path === undefined ? null : linkTo(device.path, path, () => nodeAt(machine, path));
    },
    uevent: textFile(() => (device.driverName === null ? '' : `DRIVER=${device.driverName}\n`)),
  });
}

/** /sys/devices. */
export function devicesFolder(machine: Machine, folders: DeviceFolders): VDir {
  const rootOf = (device: PciDevice): string => device.devpath.split('/')[2] as string;
  const tops = (): PciDevice[] =>
    [...machine.devices.values()].filter((device) => device.parent === null);
  const others = rootChildren(machine, '/devices');
  return listing(
    () => [...new Set([...tops().map(rootOf), 'platform', 'virtual', 'system', ...others.list()])],
    (name) => {
      if (name.startsWith('pci')) return rootFolder(machine, folders, name);
      if (name === 'platform') return platformsFolder(machine, 'platform');
      return others.child(name) ?? (name === 'virtual' || name === 'system' ? dir({}) : null);
    },
  );
}

function rootFolder(machine: Machine, folders: DeviceFolders, root: string): VDir {
  const prefix = `/devices/${root}/`;
  const isHere = (device: PciDevice): boolean =>
    device.parent === null && device.devpath.startsWith(prefix);
  return listing(
    () => [...machine.devices.values()].filter(isHere).map(({ address }) => address),
    (name) => {
      const device = machine.devices.get(name as PciDevice['address']);
      return device !== undefined && isHere(device) ? folders.of(device) : null;
    },
  );
}

function platformsFolder(machine: Machine, bus: string): VDir {
  return listing(
    () =>
      [...machine.platform.values()].filter((device) => device.bus === bus).map(({ name }) => name),
    (name) => platformFolder(machine, name),
  );
}
