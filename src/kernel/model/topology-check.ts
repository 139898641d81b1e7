// What must fit together in a machine: parents, names, references. Shape was checked before; a machine that
// passes here can be built without a surprise.
import { addressParts, type PciAddress } from '../../pci/address.ts';
import { vfAddress } from './grouping.ts';
import { fieldPath, type TopologyProblem } from './topology-problem.ts';
import type { BlockSpec, ChildrenSpec, DeviceSpec, MachineSpec, NetSpec } from './spec.ts';

type Tell = (path: readonly PropertyKey[], message: string) => void;

function checkParent(
  device: DeviceSpec,
  all: ReadonlyMap<PciAddress, DeviceSpec>,
  tell: Tell,
): void {
  if (device.parent === null) return;
  const path = ['devices', device.address, 'parent'];
  const parent = all.get(device.parent);
  if (parent === undefined) {
    tell(
      path,
      `"${device.parent}" is no device of this file; must be the address of the bridge above`,
    );
    return;
  }
  if (parent.header === 'endpoint') {
    tell(
      path,
      `"${device.parent}" is an endpoint; must be a bridge (class 0604xx, or header: bridge)`,
    );
  }
  const seen = new Set<PciAddress>([device.address]);
  for (let up: DeviceSpec | undefined = parent; up !== undefined; ) {
    if (seen.has(up.address)) {
      tell(
        path,
        `"${device.parent}" is above and below ${device.address}; must be a bridge nearer to the root`,
      );
      return;
    }
    seen.add(up.address);
    up = up.parent === null ? undefined : all.get(up.parent);
  }
}

/** One bus, one bridge above it. */
function checkBuses(devices: readonly DeviceSpec[], tell: Tell): void {
  const above = new Map<string, DeviceSpec>();
  const busOf = new Map<PciAddress, string>();
  for (const device of devices) {
    const { domain, bus } = addressParts(device.address);
    const key = `${domain}:${bus}`;
    const first = above.get(key);
    if (first === undefined) above.set(key, device);
    else if (first.parent !== device.parent) {
      tell(
        ['devices', device.address, 'parent'],
        `is ${device.parent ?? 'absent'} but ${first.address} on the same bus has ${first.parent ?? 'none'}; functions of one bus have one bridge above`,
      );
    }
    if (device.parent === null) continue;
    const other = busOf.get(device.parent);
    if (other !== undefined && other !== key) {
      tell(
        ['devices', device.address, 'parent'],
        `"${device.parent}" has functions on two buses; must have one bus below it`,
      );
    }
    busOf.set(device.parent, key);
  }
}

function checkSriov(device: DeviceSpec, taken: Map<string, string>, tell: Tell): void {
  const { sriov } = device;
  if (sriov === null) return;
  const path = ['devices', device.address, 'sriov'];
  if (sriov.numVfs > sriov.totalVfs) {
    tell([...path, 'numVfs'], `is ${sriov.numVfs}; must be at most totalVfs (${sriov.totalVfs})`);
  }
  if (sriov.vfs.length > sriov.numVfs) {
    tell(
      [...path, 'vfs'],
      `has ${sriov.vfs.length} entries; must have at most numVfs (${sriov.numVfs})`,
    );
  }
  for (let index = 0; index < Math.min(sriov.totalVfs, 65_535); index++) {
    const address = vfAddress(device.address, sriov, index);
    const owner = taken.get(address);
    if (owner !== undefined) {
      tell(
        path,
        `VF ${index} would have the address ${address} of ${owner}; choose vfOffset and vfStride so that all addresses differ`,
      );
      return;
    }
    taken.set(address, `VF ${index} of ${device.address}`);
  }
}

/** All interfaces and disks with the path of each. */
function eachChild(
  devices: readonly DeviceSpec[],
  visit: (children: ChildrenSpec, path: readonly PropertyKey[]) => void,
): void {
  for (const device of devices) {
    visit(device.children, ['devices', device.address]);
    device.sriov?.vfs.forEach((vf, index) =>
      visit(vf.children, ['devices', device.address, 'sriov', 'vfs', index]),
    );
  }
}

function checkNames(spec: MachineSpec, tell: Tell): { nets: Set<string>; blocks: Set<string> } {
  const nets = new Set<string>(['lo']);
  const blocks = new Set<string>();
  const once = (seen: Set<string>, name: string, path: readonly PropertyKey[]): void => {
    if (seen.has(name)) tell(path, `the name "${name}" is there twice; names must differ`);
    seen.add(name);
  };
  const net = (entry: NetSpec, path: readonly PropertyKey[]): void => {
    if (entry.namespace === null) once(nets, entry.name, [...path, 'name']);
  };
  const block = (entry: BlockSpec, path: readonly PropertyKey[]): void => {
    once(blocks, entry.name, [...path, 'name']);
    entry.partitions.forEach((part, i) => block(part, [...path, 'partitions', i]));
  };
  eachChild(spec.devices, (children, path) => {
    children.net.forEach((entry, i) => net(entry, [...path, 'net', i]));
    children.block.forEach((entry, i) => block(entry, [...path, 'block', i]));
    children.usb.forEach((usb, u) => {
      usb.net.forEach((entry, i) => net(entry, [...path, 'usb', u, 'net', i]));
      usb.block.forEach((entry, i) => block(entry, [...path, 'usb', u, 'block', i]));
    });
  });
  spec.virtualNets.forEach((entry, i) => net(entry, ['virtualNets', i]));
  spec.stacked.forEach((entry, i) => once(blocks, entry.name, ['stacked', i, 'name']));
  return { nets, blocks };
}

function checkReferences(
  spec: MachineSpec,
  names: { readonly nets: ReadonlySet<string>; readonly blocks: ReadonlySet<string> },
  tell: Tell,
): void {
  const stacked = new Set(spec.stacked.map((entry) => entry.name));
  const holders = (entry: BlockSpec, path: readonly PropertyKey[]): void => {
    entry.holders.forEach((holder, i) => {
      if (!stacked.has(holder)) {
        tell([...path, 'holders', i], `"${holder}" is no entry of stacked; must name one`);
      }
    });
    entry.partitions.forEach((part, i) => holders(part, [...path, 'partitions', i]));
  };
  const net = (entry: NetSpec, path: readonly PropertyKey[]): void => {
    for (const [field, name] of [
      ['master', entry.master] as const,
      ...entry.uppers.map((upper) => ['uppers', upper] as const),
    ]) {
      if (name === null || names.nets.has(name)) continue;
      tell([...path, field], `"${name}" is no interface of this file; must be one of virtualNets`);
    }
  };
  eachChild(spec.devices, (children, path) => {
    children.block.forEach((entry, i) => holders(entry, [...path, 'block', i]));
    children.net.forEach((entry, i) => net(entry, [...path, 'net', i]));
  });
  spec.virtualNets.forEach((entry, i) => net(entry, ['virtualNets', i]));
  spec.stacked.forEach((entry, i) =>
    entry.holders.forEach((holder, h) => {
      if (!stacked.has(holder))
        tell(['stacked', i, 'holders', h], `"${holder}" is no entry of stacked; must name one`);
    }),
  );
  const block = (name: string, path: readonly PropertyKey[]): void => {
    if (!names.blocks.has(name))
      tell(path, `"${name}" is no disk, partition or stacked device of this file`);
  };
  spec.swaps.forEach((name, i) => block(name, ['swaps', i]));
  spec.storageTargets.forEach((target, i) => block(target.device, ['storageTargets', i, 'device']));
  spec.routes.forEach((route, i) => {
    if (!names.nets.has(route.iface))
      tell(['routes', i, 'iface'], `"${route.iface}" is no interface of this file`);
  });
}

function checkGroups(spec: MachineSpec, tell: Tell): void {
  if (spec.iommu.kind !== 'none') return;
  for (const device of spec.devices) {
    if (device.group !== null) {
      tell(
        ['devices', device.address, 'group'],
        'there are no groups with iommu.kind none; leave it out',
      );
    }
  }
  spec.platformDevices.forEach((_, i) =>
    tell(
      ['platformDevices', i, 'group'],
      'there are no groups with iommu.kind none; leave the device out',
    ),
  );
}

/** Everything in the machine that does not fit together; empty when it can be built. */
export function checkTopology(spec: MachineSpec): readonly TopologyProblem[] {
  const problems: TopologyProblem[] = [];
  const tell: Tell = (path, message) => void problems.push({ field: fieldPath(path), message });
  const all = new Map(spec.devices.map((device) => [device.address, device]));
  const taken = new Map<string, string>(spec.devices.map(({ address }) => [address, address]));
  for (const device of spec.devices) {
    checkParent(device, all, tell);
    checkSriov(device, taken, tell);
    for (const [field, other] of [
      ['realDmaDevice', device.realDmaDevice] as const,
      ...device.dmaAliases.map((alias) => ['dmaAliases', alias] as const),
    ]) {
      if (other !== null && !all.has(other)) {
        tell(['devices', device.address, field], `"${other}" is no device of this file`);
      }
    }
  }
  checkBuses(spec.devices, tell);
  checkReferences(spec, checkNames(spec, tell), tell);
  checkGroups(spec, tell);
  const pids = new Set<number>();
  spec.processes.forEach(({ pid }, i) => {
    if (pids.has(pid))
      tell(['processes', i, 'pid'], `the pid ${pid} is there twice; pids must differ`);
    pids.add(pid);
  });
  return problems;
}
