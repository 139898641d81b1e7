// Network drivers: the interface with its queues, in the order e1000 and its relatives announce them.
import { addressParts } from '../../../pci/address.ts';
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { DriverCall, Personality } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { addChild, removeChild } from '../operations/children.ts';
import { childEvent } from '../operations/events.ts';
import type { NetSpec } from '../spec.ts';
import { countOf, deviceId, endpointDriver, type Behaviour } from './base.ts';
import { startOthers, stopOthers } from './others.ts';

/** A made-up address for an interface that no topology describes (VFs, hot-added cards). */
function madeUpMac(device: PciDevice): string {
  const { bus, slot, fn } = addressParts(device.address);
  const pair = (n: number): string => n.toString(16).padStart(2, '0');
  return `02:00:00:${pair(bus)}:${pair(slot)}:${pair(fn)}`;
}

const freshLink = {
  up: false,
  carrier: false,
  addresses: [],
  master: null,
  uppers: [],
  namespace: null,
} as const;

/** The interfaces to make: those of the topology at boot; later the same ones, but fresh. */
function interfacesOf(device: PciDevice, booting: boolean): readonly NetSpec[] {
  const given = device.spec.children.net;
  if (given.length === 0) return [];
  return booting ? given : given.map(({ name, mac }) => ({ ...freshLink, name, mac }));
}

/** ethN counts up over all drivers; any other name is what udev makes of it every time. */
function takeName(machine: Machine, wanted: string): string {
  const number = countOf(wanted, 'eth');
  if (number === null) return wanted;
  const ids = machine.ids('eth');
  return `eth${ids.takeThis(number) ? number : ids.take()}`;
}

/** Makes an interface; `quiet` at boot. */
export function addInterface(
  machine: Machine,
  parent: PciDevice | ChildDevice,
  net: NetSpec,
  quiet: boolean,
): ChildDevice {
  const name = quiet ? takeName(machine, net.name) : freshName(machine, net.name);
  const ifindex = machine.ids('ifindex').take() + 2;
  const later = machine.profile.netAddAfterQueues;
  const child = addChild(
    machine,
    { name, subsystem: 'net', parent, facts: { kind: 'net', net: { ...net, name }, ifindex } },
    true,
  );
  if (!quiet && !later) childEvent(machine, child, 'add');
  for (const queue of ['rx-0', 'tx-0']) {
    addChild(machine, { name: queue, subsystem: 'queues', parent: child }, quiet);
  }
  if (!quiet && later) childEvent(machine, child, 'add');
  return child;
}

function freshName(machine: Machine, wanted: string): string {
  return countOf(wanted, 'eth') === null ? wanted : `eth${machine.ids('eth').take()}`;
}

/** Takes an interface away. */
export function removeInterface(machine: Machine, child: ChildDevice): void {
  const number = countOf(child.name, 'eth');
  if (number !== null) machine.ids('eth').give(number);
  removeChild(machine, child);
}

/** Makes everything a network function has. */
function start(call: DriverCall): null {
  const { machine, device } = call;
  const quiet = call.machine.booting;
  for (const net of interfacesOf(device, quiet)) addInterface(machine, device, net, quiet);
  if (device.spec.children.net.length === 0 && device.physfn !== null) {
    addInterface(machine, device, { ...freshLink, name: 'eth0', mac: madeUpMac(device) }, quiet);
  }
  startOthers(call);
  return null;
}

function stop(call: DriverCall): void {
  stopOthers(call);
  for (const child of [...call.device.children]) {
    if (child.subsystem === 'net') removeInterface(call.machine, child);
  }
}

/** A network driver. */
function netDriver(behaviour: Behaviour): Personality {
  return endpointDriver({ start, stop, ...behaviour });
}

/** A network driver with a hardware clock, which is a device of its own. */
function clockedNetDriver(behaviour: Behaviour): Personality {
  return netDriver({
    ...behaviour,
    start: (call) => {
      start(call);
      const { machine, device } = call;
      if (device.spec.children.other.ptp !== undefined) return null;
      const name = `ptp${machine.ids('ptp').take()}`;
      addChild(machine, { name, subsystem: 'ptp', parent: device, devname: name }, machine.booting);
      return null;
    },
  });
}

const intel = 0x8086;
const e1000Ids = [
  ...[0x1000, 0x1001, 0x1004, 0x1008, 0x1009, 0x100c, 0x100d, 0x100e, 0x100f],
  ...[0x1010, 0x1011, 0x1012, 0x1013, 0x1014, 0x1015, 0x1016, 0x1017, 0x1018, 0x1019, 0x101a],
  ...[0x101d, 0x101e, 0x1026, 0x1027, 0x1028, 0x1075, 0x1076, 0x1077, 0x1078, 0x1079, 0x107a],
  ...[0x107b, 0x107c, 0x108a, 0x1099, 0x10b5, 0x2e6e],
].map((device) => deviceId(intel, device));

/** The network drivers that are known by name, with their timing and SR-IOV manners. */
export const netDrivers: Readonly<Record<string, Personality>> = {
  e1000: netDriver({ probeMs: 305, removeMs: 10, ids: e1000Ids, foreignErrno: 'EIO' }),
  e1000e: clockedNetDriver({ probeMs: 120, removeMs: 20 }),
  igb: clockedNetDriver({ probeMs: 120, removeMs: 20, sriovConfigure: true }),
  igbvf: netDriver({ probeMs: 40 }),
  ixgbe: clockedNetDriver({ probeMs: 150, removeMs: 20, sriovConfigure: true }),
  ixgbevf: netDriver({ probeMs: 40 }),
  i40e: clockedNetDriver({ probeMs: 200, removeMs: 50, sriovConfigure: true }),
  ice: clockedNetDriver({ probeMs: 250, removeMs: 50, sriovConfigure: true }),
  iavf: netDriver({ probeMs: 40 }),
  mlx5_core: clockedNetDriver({ probeMs: 300, removeMs: 100, sriovConfigure: true }),
  bnxt_en: netDriver({ probeMs: 200, removeMs: 50, sriovConfigure: true }),
  '8139cp': netDriver({}),
  '8139too': netDriver({}),
  r8169: netDriver({}),
  tg3: netDriver({}),
};
