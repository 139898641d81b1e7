// The functions of a dump as DeviceSpecs, VFs under their PFs. No machine-wide facts.
import { present } from '../../base/assert.ts';
import { comparePciAddresses, isPciAddress, slotOf, type PciAddress } from '../../pci/address.ts';
import type { Dump, DumpDevice } from './dump-form.ts';
import { basename, configFacts, pcieToPciBridge } from './dump-texts.ts';
import type { ChildrenSpec, DeviceSpec, NetSpec } from './spec.ts';
import { defaultHeader, defaultSectors, noChildren } from './topology-defaults.ts';

/** What all devices of one dump are read with. */
interface Reading {
  readonly dump: Dump;
  readonly nativeDrivers: ReadonlyMap<string, string>;
  readonly groupOf: ReadonlyMap<PciAddress, number>;
  readonly parentOf: ReadonlyMap<PciAddress, PciAddress>;
  nextBlock: number;
}

const attr = (device: DumpDevice, name: string): string | null => {
  const value = device.attrs[name];
  return typeof value === 'string' ? value.trim() : null;
};
const hexOf = (device: DumpDevice, name: string): string =>
  (attr(device, name) ?? '').replace(/^0x/, '');
const idOf = (device: DumpDevice): string =>
  `${hexOf(device, 'vendor')}:${hexOf(device, 'device')}`;
const driverOf = (device: DumpDevice): string | null =>
  device.driver === null ? null : basename(device.driver);

/** Whether a class link leads to a child of this very function, not of one below it. */
function leadsTo(link: string, address: PciAddress): boolean {
  return link.split('/').findLast(isPciAddress) === address;
}

/** Bridges on the way to a function, root port first, from the text of its link. */
function upstreamOf(device: DumpDevice): readonly PciAddress[] {
  return device.path.split('/').slice(0, -1).filter(isPciAddress);
}

/** Drivers of devices that Linux binds by id or class; used where a dump shows vfio-pci or nothing instead. */
const driverById: Readonly<Record<string, string>> = {
  '8086:100e': 'e1000',
  '8086:10d3': 'e1000e',
  '8086:10c9': 'igb',
  '8086:10ca': 'igbvf',
  '10ec:8139': '8139cp',
};
const driverByClass: readonly (readonly [string, string])[] = [
  ['010802', 'nvme'],
  ['010601', 'ahci'],
  ['0c0330', 'xhci_hcd'],
  ['040300', 'snd_hda_intel'],
];

const neverNative = new Set(['vfio-pci', 'pci-stub']);

function nativeDriverOf(device: DumpDevice, reading: Reading): string | null {
  const bound = driverOf(device);
  if (bound !== null && !neverNative.has(bound)) return bound;
  if (bound === null && attr(device, 'driver_override') === '(null)') {
    // Nothing holds it back and nothing took it: there is no driver for it.
    return null;
  }
  const known = reading.nativeDrivers.get(idOf(device)) ?? driverById[idOf(device)];
  const byClass = driverByClass.find(([code]) => code === hexOf(device, 'class'))?.[1];
  const native = known ?? byClass ?? null;
  return native;
}

function netOf(name: string, dump: Dump): NetSpec {
  const net = dump.net[name];
  const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
  const up = text(net?.operstate) === 'up';
  return {
    name,
    mac: text(net?.address) || '00:00:00:00:00:00',
    up,
    carrier: text(net?.carrier) === '1',
    addresses: [],
    master: null,
    uppers: [],
    namespace: null,
  };
}

/** Disks whose sysfs path leads through `address`, and the disks of its NVMe subsystem when multipath is on. */
function disksOf(
  address: PciAddress,
  reading: Reading,
): Pick<ChildrenSpec, 'block' | 'nvmeSubsystem'> {
  const { block } = reading.dump;
  const own = Object.entries(block).filter(([, disk]) => leadsTo(disk.link, address));
  let nvmeSubsystem: string | null = null;
  const disks = own.map(([name, disk]) => {
    const path = /^nvme(\d+)c\d+n(\d+)$/.exec(name);
    if (path === null) return [name, disk] as const;
    nvmeSubsystem = `nvme-subsys${path[1]}`;
    return [`nvme${path[1]}n${path[2]}`, disk] as const;
  });
  return {
    nvmeSubsystem,
    block: disks.map(([name, disk]) => ({
      name,
      sectors: typeof disk.size === 'string' ? Number(disk.size) : defaultSectors,
      devno: `259:${reading.nextBlock++}`,
      partitions: [],
      contents: null,
      holders: [],
    })),
  };
}

function childrenOf(address: PciAddress, device: DumpDevice, reading: Reading): ChildrenSpec {
  const nets = Object.entries(reading.dump.net)
    .filter(([, net]) => leadsTo(net.link, address))
    .map(([name]) => netOf(name, reading.dump));
  const card = /^card(\d+)$/.exec(device.sound?.[0] ?? '');
  return {
    ...noChildren,
    net: nets,
    ...disksOf(address, reading),
    nvme: device.nvme?.[0] ?? null,
    virtio: device.names.find((name) => /^virtio\d+$/.test(name)) ?? null,
    drm: device.drm ?? [],
    framebuffer: device.names.includes('graphics') ? 'fb0' : null,
    sound: card === null ? null : { card: Number(card[1]), open: [] },
  };
}

/** Whether a function keeps its peers apart, judged by what its group has in it. */
function separates(address: PciAddress, device: DumpDevice, reading: Reading): boolean {
  const group = reading.groupOf.get(address);
  const sameGroup = (other: PciAddress): boolean => reading.groupOf.get(other) === group;
  const all = [...reading.groupOf.keys()];
  if (defaultHeader(hexOf(device, 'class')) === 'bridge') {
    return !all.some((other) => reading.parentOf.get(other) === address && sameGroup(other));
  }
  const peers = all.filter((other) => other !== address && slotOf(other) === slotOf(address));
  return peers.length > 0 && !peers.some(sameGroup);
}

function sriovOf(device: DumpDevice, reading: Reading): DeviceSpec['sriov'] {
  const total = Number(attr(device, 'sriov_totalvfs') ?? 0);
  if (!(total > 0)) return null;
  const addresses = [...device.virtfns]
    .sort(([a], [b]) => Number(a.slice('virtfn'.length)) - Number(b.slice('virtfn'.length)))
    .map(([, link]) => basename(link) as PciAddress);
  const existing = addresses.flatMap((address) => {
    const vf = reading.dump.devices[address];
    return vf === undefined ? [] : [{ address, vf }];
  });
  // The kernel prints sriov_vf_device without leading zeroes (sriov_vf_device_show, "%x").
  const vfDevice = (attr(device, 'sriov_vf_device') ?? hexOf(device, 'device')).padStart(4, '0');
  const vfDriver =
    existing.map(({ vf }) => nativeDriverOf(vf, reading)).find((name) => name !== null) ??
    driverById[`${hexOf(device, 'vendor')}:${vfDevice}`] ??
    driverByClass.find(([code]) => code === hexOf(device, 'class'))?.[1] ??
    null;
  return {
    totalVfs: total,
    numVfs: existing.length,
    vfDevice,
    vfOffset: Number(attr(device, 'sriov_offset') ?? 1),
    vfStride: Number(attr(device, 'sriov_stride') ?? 1),
    vfDriver,
    vfs: existing.map(({ address, vf }) => ({
      bound: driverOf(vf) === vfDriver ? null : (driverOf(vf) ?? 'none'),
      override: overrideOf(vf),
      group: reading.groupOf.get(address) ?? null,
      children: childrenOf(address, vf, reading),
    })),
  };
}

function overrideOf(device: DumpDevice): string | null {
  const override = attr(device, 'driver_override');
  return override === null || override === '(null)' ? null : override;
}

/** Attribute files that a model would not make up itself. */
const carried = [
  ...['irq', 'msi_bus', 'local_cpulist', 'ari_enabled', 'broken_parity_status', 'd3cold_allowed'],
  ...['current_link_speed', 'current_link_width', 'resource'],
  ...['secondary_bus_number', 'subordinate_bus_number'],
] as const;

function attributesOf(device: DumpDevice): Readonly<Record<string, string>> {
  return Object.fromEntries(
    carried.flatMap((name) => {
      const value = attr(device, name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

/** Reserved regions are told per group; the first member that could bring them gets them. */
function regionsOf(address: PciAddress, reading: Reading): readonly string[] {
  const group = reading.dump.iommu_groups[String(reading.groupOf.get(address))];
  if (group === undefined || typeof group.reserved_regions !== 'string') return [];
  const isa = group.devices.find((name) => {
    const member = reading.dump.devices[name];
    return member !== undefined && hexOf(member, 'class').startsWith('0601');
  });
  if (address !== (isa ?? group.devices[0])) return [];
  return group.reserved_regions.split('\n').filter((line) => line !== '' && !line.endsWith(' msi'));
}

function deviceOf(address: PciAddress, device: DumpDevice, reading: Reading): DeviceSpec {
  const config = configFacts(device.config_hex);
  const classCode = hexOf(device, 'class');
  const header =
    config.headerType === null
      ? defaultHeader(classCode)
      : config.headerType === 1
        ? 'bridge'
        : config.headerType === 2
          ? 'cardbus'
          : 'endpoint';
  const nativeDriver = nativeDriverOf(device, reading);
  const bound = driverOf(device);
  const bootVga = attr(device, 'boot_vga');
  return {
    address,
    parent: reading.parentOf.get(address) ?? null,
    vendor: hexOf(device, 'vendor'),
    device: hexOf(device, 'device'),
    subsystemVendor: hexOf(device, 'subsystem_vendor'),
    subsystemDevice: hexOf(device, 'subsystem_device'),
    classCode,
    revision: hexOf(device, 'revision'),
    header,
    multifunction:
      config.multifunction ||
      [...reading.groupOf.keys()].some(
        (other) => other !== address && slotOf(other) === slotOf(address),
      ),
    acs: separates(address, device, reading),
    conventionalBelow:
      header === 'bridge' && (config.portType === pcieToPciBridge || config.portType === null),
    group: reading.groupOf.get(address) ?? null,
    nativeDriver,
    bound: bound === nativeDriver ? null : (bound ?? 'none'),
    override: overrideOf(device),
    realDmaDevice: null,
    dmaAliases: [],
    numaNode: Number(attr(device, 'numa_node') ?? -1),
    resetMethods: (attr(device, 'reset_method') ?? '').split(' ').filter((word) => word !== ''),
    bootVga: bootVga === null ? null : bootVga === '1',
    sriov: sriovOf(device, reading),
    reservedRegions: regionsOf(address, reading),
    p2pmem: null,
    dead: config.dead,
    attributes: attributesOf(device),
    children: childrenOf(address, device, reading),
  };
}

/** Every function of the dump but its VFs, in address order. */
export function dumpDevices(dump: Dump, addresses: readonly PciAddress[]): readonly DeviceSpec[] {
  const device = (address: PciAddress): DumpDevice => present(dump.devices[address], address);
  const nativeDrivers = new Map<string, string>();
  const groupOf = new Map<PciAddress, number>();
  const parentOf = new Map<PciAddress, PciAddress>();
  for (const address of [...addresses].sort(comparePciAddresses)) {
    const entry = device(address);
    const driver = driverOf(entry);
    if (driver !== null && !neverNative.has(driver)) nativeDrivers.set(idOf(entry), driver);
    if (entry.iommu_group !== null) groupOf.set(address, Number(basename(entry.iommu_group)));
    const parent = upstreamOf(entry).at(-1);
    if (parent !== undefined) parentOf.set(address, parent);
  }
  const reading: Reading = { dump, nativeDrivers, groupOf, parentOf, nextBlock: 0 };
  return [...addresses]
    .sort(comparePciAddresses)
    .filter((address) => device(address).physfn === null)
    .map((address) => deviceOf(address, device(address), reading));
}
