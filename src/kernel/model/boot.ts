// Brings a machine up: functions, groups, drivers, what user space had set up. Nothing is announced and no
// time passes; reboot() does it again on what is left of a machine.
import { assert } from '../../base/assert.ts';
import { moduleOf, personalityOf } from './drivers/catalogue.ts';
import { addSensor } from './drivers/nvme.ts';
import { enumerationOrder, groupsAtBoot } from './grouping.ts';
import type { Machine } from './machine.ts';
import { Driver } from './objects/driver.ts';
import { PciDevice } from './objects/pci-device.ts';
import { PlatformDevice } from './objects/platform-device.ts';
import type { Process } from './objects/process.ts';
import { addBus } from './operations/bus.ts';
import { addChild, virtualParent } from './operations/children.ts';
import { rootPathOf } from './operations/functions.ts';
import { makeGroup, placeInGroup } from './operations/grouping.ts';
import { mayBind } from './operations/match.ts';
import { unuseDefaultDomain, useDefaultDomain } from './operations/ownership.ts';
import { vfSpec } from './operations/sriov.ts';
import type { DeviceSpec } from './spec.ts';
import { startProcess } from './surroundings/host-operations.ts';
import type { Task } from './vfs.ts';

/** Modules without a PCI driver that VFIO brings. */
const vfioModules = ['vfio', 'vfio_iommu_type1', 'vfio_pci_core', 'irqbypass'] as const;

/** Puts a module into the kernel; harmless when it is there. */
function addModule(machine: Machine, name: string, refs = 0): void {
  if (!machine.modules.has(name)) machine.modules.set(name, { name, refs });
}

/** Registers a driver without trying it on anything. */
export function registerDriver(machine: Machine, name: string): Driver {
  const known = machine.drivers.get(name);
  if (known !== undefined) return known;
  const spec = machine.spec.drivers.find((driver) => driver.name === name);
  const module = spec === undefined ? moduleOf(name) : spec.module;
  const driver = new Driver({ name, module, fixed: spec?.fixed ?? false }, personalityOf(name));
  machine.drivers.set(name, driver);
  if (module !== null) addModule(machine, module);
  if (driver.personality.vfio) for (const extra of vfioModules) addModule(machine, extra);
  if (driver.personality.vfio && machine.spec.cdev) addModule(machine, 'iommufd');
  return driver;
}

/** The functions as they are found, VFs of the boot included, each with its PF. */
function functionsAtBoot(
  machine: Machine,
): { spec: DeviceSpec; pf: DeviceSpec | null; index: number }[] {
  const found = machine.spec.devices.map((spec) => ({
    spec,
    pf: null as DeviceSpec | null,
    index: 0,
  }));
  for (const spec of machine.spec.devices) {
    for (let index = 0; index < (spec.sriov?.numVfs ?? 0); index++) {
      const probe = new PciDevice(spec, { parent: null, physfn: null, rootPath: '' });
      found.push({ spec: { ...vfSpec(probe, index), parent: spec.parent }, pf: spec, index });
    }
  }
  const order = enumerationOrder(found.map(({ spec }) => spec));
  const byAddress = new Map(found.map((entry) => [entry.spec.address, entry]));
  return order.map((spec) => byAddress.get(spec.address)).filter((entry) => entry !== undefined);
}

function addFunctions(machine: Machine): void {
  const found = functionsAtBoot(machine);
  const fixed = (entry: (typeof found)[number]): number | null =>
    entry.pf === null ? entry.spec.group : (entry.pf.sriov?.vfs[entry.index]?.group ?? null);
  const byAddress = new Map(found.map((entry) => [entry.spec.address, entry]));
  const platform = machine.spec.platformDevices.map(({ group }) => group);
  const numbers = machine.hasIommu
    ? groupsAtBoot(
        found.map(({ spec }) => spec),
        (address) => {
          const entry = byAddress.get(address);
          return entry === undefined ? null : fixed(entry);
        },
        platform,
      )
    : new Map<string, number>();
  for (const { spec, pf, index } of found) {
    const physfn = pf === null ? null : (machine.devices.get(pf.address) ?? null);
    const parent = spec.parent === null ? null : (machine.devices.get(spec.parent) ?? null);
    const device = new PciDevice(spec, { parent, physfn, rootPath: rootPathOf(spec.address) });
    machine.addDevice(device);
    device.matchable = true;
    physfn?.sriov?.vfs.set(index, device);
    if (physfn?.sriov) physfn.sriov.num = Math.max(physfn.sriov.num, index + 1);
    if (spec.firmwareNode) bootWakeup(machine, device);
    const number = numbers.get(spec.address);
    if (number === undefined) continue;
    machine.groupIds.takeThis(number);
    placeInGroup(machine, device, machine.groups.get(number) ?? makeGroup(machine, number));
  }
  for (const device of machine.devices.values()) addBus(machine, device, true);
}

function bootWakeup(machine: Machine, device: PciDevice): void {
  const { firmwareNode } = device;
  if (firmwareNode === null) return;
  const parent = machine.profile.wakeupBelowDevice
    ? device
    : ({ kind: 'root', devpath: firmwareNode } as const);
  const name = `wakeup${machine.ids('wakeup').take()}`;
  device.wakeup = addChild(machine, { name, subsystem: 'wakeup', parent }, true);
}

function addPlatformDevices(machine: Machine): void {
  for (const facts of machine.spec.platformDevices) {
    const device = new PlatformDevice(facts);
    machine.platform.set(device.name, device);
    if (!machine.hasIommu) continue;
    machine.groupIds.takeThis(facts.group);
    const group = machine.groups.get(facts.group) ?? makeGroup(machine, facts.group);
    group.devices.add(device);
    device.group = group;
    if (facts.driver !== null && machine.profile.ownership) group.ownerCount += 1;
  }
}

/** Root bridge, power button, clock and its alarm have wakeup sources too; they come after those of the slots. */
const otherWakeups = 4;

function addUnits(machine: Machine): void {
  const parent = virtualParent();
  for (let i = 0; i < otherWakeups; i++) machine.ids('wakeup').take();
  for (const unit of machine.spec.iommu.kind === 'none' ? [] : machine.spec.iommu.units) {
    addChild(machine, { name: unit, subsystem: 'iommu', parent }, true);
  }
}

/** The driver that a function has at boot; null: none. */
function bootDriver(device: PciDevice): string | null {
  const { spec, physfn } = device;
  const index = [...(physfn?.sriov?.vfs ?? [])].find(([, vf]) => vf === device)?.[0];
  const bound = index === undefined ? spec.bound : (physfn?.spec.sriov?.vfs[index]?.bound ?? null);
  if (bound === 'none') return null;
  return bound ?? spec.nativeDriver;
}

/** The override that a function has when the machine is taken up. */
function bootOverride(device: PciDevice): string | null {
  const { spec, physfn } = device;
  const index = [...(physfn?.sriov?.vfs ?? [])].find(([, vf]) => vf === device)?.[0];
  return index === undefined ? spec.override : (physfn?.spec.sriov?.vfs[index]?.override ?? null);
}

/** really_probe without the waiting and the events. */
function bindAtBoot(machine: Machine, driver: Driver, device: PciDevice, task: Task): void {
  const counted = !driver.personality.managedDma;
  if (counted && useDefaultDomain(machine, device.group) !== null) return;
  device.driver = driver;
  if (driver.personality.probe({ machine, device, driver, task }) !== null) {
    if (counted) unuseDefaultDomain(machine, device.group);
    device.driver = null;
    return;
  }
  device.driverLink = true;
  driver.linked.add(device);
  device.bound = true;
  device.everBound = true;
}

/** Binds what is bound at boot.  */
function bindAll(machine: Machine, process: Process, natives: boolean): void {
  const task: Task = machine.processes.enter(process);
  for (const device of machine.devices.values()) {
    const name = natives ? device.spec.nativeDriver : bootDriver(device);
    const driver = name === null ? undefined : machine.drivers.get(name);
    if (driver === undefined) continue;
    const wanted = natives ? null : bootOverride(device);
    // Bound by override and then cleared, or by an id: the end is what counts.
    device.override = mayBind(driver, device) ? wanted : driver.name;
    bindAtBoot(machine, driver, device, task);
    device.override = wanted;
  }
  for (const device of machine.devices.values())
    if (!natives) device.override = bootOverride(device);
  machine.processes.leave(process, task);
}

/** Sensors of NVMe controllers: on kernels that start them side by side, the last begun is the first done. */
function addSensors(machine: Machine): void {
  const controllers = [...machine.children.of('nvme')];
  if (!machine.profile.nvmeStartsLater) controllers.reverse();
  for (const controller of controllers) addSensor(machine, controller, true);
}

/** Brings an empty machine up. `natives`: overrides are gone and every function has its own driver (a reboot). */
export function boot(machine: Machine, natives = false): void {
  assert(machine.devices.size === 0, 'a machine boots once');
  machine.booting = true;
  for (const spec of machine.spec.processes) startProcess(machine, spec);
  addPlatformDevices(machine);
  addFunctions(machine);
  addUnits(machine);
  for (const driver of machine.spec.drivers)
    if (driver.loaded) registerDriver(machine, driver.name);
  for (const { name, refs } of machine.spec.modules) addModule(machine, name, refs);
  const init = machine.processes.spawn('init');
  bindAll(machine, init, natives);
  machine.processes.exit(init);
  addSensors(machine);
  machine.booting = false;
}
