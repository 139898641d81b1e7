// The nvme driver: controller, namespaces and what belongs to them, in the order the kernel announces them
// (drivers/nvme/host/{pci,core,multipath}.c). VFs stay when it leaves.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { DriverCall, Personality } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { addChild, removeChild, virtualParent } from '../operations/children.ts';
import { childEvent } from '../operations/events.ts';
import { inBackground, lockDevice, releaseDevice } from '../operations/probe.ts';
import type { BlockSpec } from '../spec.ts';
import { classId, countOf, deviceId, endpointDriver, isNative } from './base.ts';
import { startOthers, stopOthers } from './others.ts';
import { addDisk, removeDisk } from './disk.ts';

/** Controllers that come up after a bind on kernels that do it in the background. */
const startLaterMs = 60;
/** How long a controller that is none, or a VF without resources, is waited for (half-second steps of its CAP.TO). */
const foreignGiveUpMs = 60_000;
const vfGiveUpMs = 510;

function controllerName(machine: Machine, device: PciDevice, booting: boolean): string {
  const wanted = countOf(device.spec.children.nvme ?? '', 'nvme');
  const ids = machine.ids('nvme');
  if (booting && wanted !== null && ids.takeThis(wanted)) return `nvme${wanted}`;
  return `nvme${ids.take()}`;
}

/** `nvme0n1` of the topology, under the controller's name of today. */
function renamed(block: BlockSpec, controller: string): BlockSpec {
  const rename = (name: string): string => name.replace(/^nvme\d+/, controller);
  return {
    ...block,
    name: rename(block.name),
    partitions: block.partitions.map((part) => ({ ...part, name: rename(part.name) })),
  };
}

function addController(call: DriverCall, quiet: boolean): ChildDevice {
  const { machine, device } = call;
  const name = controllerName(machine, device, quiet);
  return addChild(
    machine,
    {
      name,
      subsystem: 'nvme',
      parent: device,
      devname: name,
      devno: `240:${name.slice(4)}`,
      attributes: { address: device.address, transport: 'pcie', state: 'live', cntrltype: 'io' },
    },
    quiet,
  );
}

function controllerOf({ device }: DriverCall): ChildDevice | null {
  return device.children.find((child) => child.subsystem === 'nvme') ?? null;
}

/** Subsystem, sensor and namespaces. */
function addRest(call: DriverCall, controller: ChildDevice, quiet: boolean): void {
  const { machine, device } = call;
  const number = controller.name.slice(4);
  const shared = device.spec.children.nvmeSubsystem;
  const subsystem = shared ?? `nvme-subsys${number}`;
  if (machine.children.get('nvme-subsystem', subsystem) === undefined) {
    addChild(
      machine,
      { name: subsystem, subsystem: 'nvme-subsystem', parent: virtualParent() },
      quiet,
    );
  }
  if (!quiet) addSensor(machine, controller, quiet);
  // NVME_EVENT=connected: sent while the scan for namespaces is already under way.
  const connected = (): void => childEvent(machine, controller, 'change');
  const { block: blocks } = device.spec.children;
  if (!quiet && blocks.length === 0) connected();
  for (const [index, block] of blocks.entries()) {
    const fresh = renamed(block, controller.name);
    const parent =
      shared === null ? controller : (machine.children.get('nvme-subsystem', shared) ?? controller);
    const between = quiet || index > 0 ? undefined : connected;
    addDisk(machine, parent, shared === null ? fresh : block, { quiet, between });
    addChild(
      machine,
      {
        name: fresh.name.replace('nvme', 'ng'),
        subsystem: 'nvme-generic',
        parent: controller,
        devname: fresh.name.replace('nvme', 'ng'),
      },
      quiet,
    );
  }
}

/** The temperature sensor that every controller brings (CONFIG_NVME_HWMON). */
export function addSensor(machine: Machine, controller: ChildDevice, quiet: boolean): void {
  const name = `hwmon${machine.ids('hwmon').take()}`;
  addChild(
    machine,
    { name, subsystem: 'hwmon', parent: controller, attributes: { name: 'nvme' } },
    quiet,
  );
}

function start(call: DriverCall): null {
  const quiet = call.machine.booting;
  const controller = controllerOf(call) ?? addController(call, quiet);
  if (!isNative(call)) {
    giveUpLater(call, controller);
    return null;
  }
  const finish = (): void => {
    addRest(call, controller, quiet);
    startOthers(call);
  };
  if (quiet || !call.machine.profile.nvmeStartsLater) {
    finish();
    return null;
  }
  void inBackground(call.machine, async (task) => {
    await call.machine.pause(task, startLaterMs);
    if (call.device.children.includes(controller)) finish();
  });
  return null;
}

/** A controller that never gets ready: the reset work removes the driver when its time is up. */
function giveUpLater(call: DriverCall, controller: ChildDevice): void {
  const { machine, device } = call;
  void inBackground(machine, async (task) => {
    await machine.pause(task, device.physfn === null ? foreignGiveUpMs : vfGiveUpMs);
    if (!device.children.includes(controller)) return;
    await lockDevice(device, task);
    if (device.children.includes(controller)) await releaseDevice(machine, device, task);
    device.lock.give(task);
  });
}

function stop(call: DriverCall): void {
  const { machine, device } = call;
  stopOthers(call);
  const controller = device.children.find((child) => child.subsystem === 'nvme');
  if (controller === undefined) return;
  for (const generic of [...controller.children].filter(
    (child) => child.subsystem === 'nvme-generic',
  )) {
    removeChild(machine, generic);
  }
  for (const disk of disksOf(machine, device, controller)) removeDisk(machine, disk);
  for (const sensor of controller.children) {
    if (sensor.subsystem === 'hwmon')
      machine.ids('hwmon').give(Number(sensor.name.slice('hwmon'.length)));
  }
  const number = controller.name.slice(4);
  machine.ids('nvme').give(Number(number));
  removeChild(machine, controller);
  const subsystem = device.spec.children.nvmeSubsystem ?? `nvme-subsys${number}`;
  const left = machine.children.get('nvme-subsystem', subsystem);
  if (left !== undefined && left.children.length === 0) removeChild(machine, left);
}

function disksOf(machine: Machine, device: PciDevice, controller: ChildDevice): ChildDevice[] {
  const shared = device.spec.children.nvmeSubsystem;
  const parent = shared === null ? controller : machine.children.get('nvme-subsystem', shared);
  const own = new Set(device.spec.children.block.map(({ name }) => name));
  return (parent?.children ?? []).filter(
    (child) => child.subsystem === 'block' && (shared === null || own.has(child.name)),
  );
}

/** nvme. */
export const nvmeDriver: Personality = endpointDriver({
  probeMs: 15,
  removeMs: 20,
  leavesSriov: true,
  sriovConfigure: true,
  prefersAsync: true,
  ids: [classId(0x010802, 0xffffff), deviceId(0x1b36, 0x0010), deviceId(0x144d, 0xa808)],
  knows: (call) => isNative(call) || call.machine.profile.nvmeStartsLater,
  // The controller is registered before its registers are looked at, and goes again if they are not right.
  begin: (call) => void addController(call, false),
  start,
  stop,
  resetDone: (call) => {
    // The reset work starts the controller again, which it announces.
    const controller = controllerOf(call);
    if (controller !== null) childEvent(call.machine, controller, 'change');
  },
  foreign: (call) => {
    const controller = controllerOf(call);
    if (controller === null) return;
    call.machine.ids('nvme').give(Number(controller.name.slice(4)));
    removeChild(call.machine, controller);
  },
});
