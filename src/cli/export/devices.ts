// The functions of a machine as an export has them: what they are, where they are, what has them. Virtual functions
// stand below their physical function.
import type { DeviceSpec, VfSpec } from '../../kernel/model/spec.ts';
import { comparePciAddresses, type PciAddress } from '../../pci/address.ts';
import type { MemberDetail, PciFunction } from '../../pci/function.ts';
import type { IommuGroup } from '../../pci/group.ts';
import type { ChildrenOf } from './children.ts';
import { type PlaceFacts, placeFacts } from './config-space.ts';
import { boundTo, groupOf, placeOf, type PlaceSources } from './device-place.ts';
import { isTaker, nativeDrivers } from './native-drivers.ts';
import type { ExportReader } from './reader.ts';

/** Everything that functions are told from. */
export interface DeviceSources {
  readonly reader: ExportReader;
  readonly functions: readonly PciFunction[];
  readonly groups: readonly IommuGroup[];
  readonly details: ReadonlyMap<PciAddress, MemberDetail>;
  readonly childrenOf: ChildrenOf;
  readonly grouped: boolean;
}

interface Facts extends DeviceSources, PlaceSources {
  readonly nativeOf: (fn: PciFunction) => string | null;
}

const folderOf = (address: PciAddress): string => `/sys/bus/pci/devices/${address}`;

/** Every function but the virtual ones, in order of address. */
export async function readDevices(sources: DeviceSources): Promise<readonly DeviceSpec[]> {
  const { reader, functions } = sources;
  const config = new Map<PciAddress, PlaceFacts>();
  for (const { address } of functions)
    config.set(address, placeFacts(await reader.bytes(`${folderOf(address)}/config`)));
  const facts: Facts = { ...sources, config, nativeOf: nativeDrivers(functions) };
  const devices: DeviceSpec[] = [];
  for (const fn of functions) {
    const virtual = fn.physicalFunction.known && fn.physicalFunction.value !== null;
    if (!virtual) devices.push(await deviceSpec(fn, facts));
  }
  return devices.sort((a, b) => comparePciAddresses(a.address, b.address));
}

/** The native driver, what is bound instead of it, and the override. */
function drivers(
  fn: PciFunction,
  facts: Facts,
): Pick<DeviceSpec, 'nativeDriver' | 'bound' | 'override'> {
  const bound = boundTo(fn);
  const detail = facts.details.get(fn.address);
  const override = detail?.driverOverride.known === true ? detail.driverOverride.value : null;
  // Nothing holds it back and nothing took it: there is no driver for it.
  const native = bound === null && override === null ? null : ownDriver(fn, facts);
  return {
    nativeDriver: native,
    bound: bound === native ? null : (bound ?? 'none'),
    override,
  };
}

function ownDriver(fn: PciFunction, { nativeOf }: Facts): string | null {
  const bound = boundTo(fn);
  return bound === null || isTaker(bound) ? nativeOf(fn) : bound;
}

const methods = ['device_specific', 'acpi', 'flr', 'af_flr', 'pm', 'bus', 'cxl_bus'];

function identity(
  fn: PciFunction,
): Pick<
  DeviceSpec,
  'address' | 'vendor' | 'device' | 'subsystemVendor' | 'subsystemDevice' | 'classCode' | 'numaNode'
> {
  const unknown = {
    ...{ vendor: 'ffff', device: 'ffff', subsystemVendor: '0000', subsystemDevice: '0000' },
  };
  return {
    address: fn.address,
    ...(fn.ids.known ? fn.ids.value : unknown),
    classCode: fn.classCode.known ? fn.classCode.value : 'ff0000',
    numaNode: fn.numaNode.known ? (fn.numaNode.value ?? -1) : -1,
  };
}

/** Kernels before 5.15 do not say how a function is reset. */
function resetsOf(detail: MemberDetail | undefined): readonly string[] {
  const told = detail?.resetMethods.known === true ? detail.resetMethods.value : [];
  return told.includes('unspecified') ? ['pm'] : told.filter((word) => methods.includes(word));
}

async function deviceSpec(fn: PciFunction, facts: Facts): Promise<DeviceSpec> {
  const { reader, details, childrenOf } = facts;
  const folder = folderOf(fn.address);
  const detail = details.get(fn.address);
  const revision = (await reader.text(`${folder}/revision`)) ?? '0x00';
  const bootVga = fn.entries.has('boot_vga') ? await reader.text(`${folder}/boot_vga`) : null;
  return {
    ...identity(fn),
    ...placeOf(fn, facts),
    ...drivers(fn, facts),
    revision: revision.replace(/^0x/, ''),
    dmaAliases: [],
    resetMethods: resetsOf(detail),
    bootVga: bootVga === null ? null : bootVga === '1',
    sriov: await sriovOf(fn, facts),
    reservedRegions: regionsOf(fn, facts),
    p2pmem: await peerMemory(fn, reader),
    dead: detail?.accessible.known === true && !detail.accessible.value,
    attributes: {},
    children: await childrenOf(fn),
  };
}

/** Regions are told per group: its first function brings them. The MSI window comes by itself. */
function regionsOf(fn: PciFunction, { groups, grouped }: Facts): readonly string[] {
  const group = groups.find(
    ({ number }) => fn.groupNumber.known && number === fn.groupNumber.value,
  );
  const first = group?.members.find((member) => member.kind === 'pci');
  if (!grouped || group === undefined || first?.kind !== 'pci' || first.fn.address !== fn.address)
    return [];
  if (!group.reservedRegions.known) return [];
  return group.reservedRegions.value
    .filter(({ type }) => ['direct', 'direct-relaxable', 'reserved'].includes(type))
    .map(({ startHex, endHex, type }) => `${wide(startHex)} ${wide(endHex)} ${type}`);
}

const wide = (hex: string): string => `0x${hex.replace(/^0x/, '').padStart(16, '0')}`;

async function peerMemory(fn: PciFunction, reader: ExportReader): Promise<DeviceSpec['p2pmem']> {
  if (!fn.entries.has('p2pmem')) return null;
  const text = async (name: string): Promise<string> =>
    (await reader.text(`${folderOf(fn.address)}/p2pmem/${name}`)) ?? '0';
  return {
    size: Number(await text('size')),
    available: Number(await text('available')),
    published: (await text('published')) !== '0',
  };
}

async function sriovOf(pf: PciFunction, facts: Facts): Promise<DeviceSpec['sriov']> {
  if (!pf.entries.has('sriov_totalvfs')) return null;
  const text = async (name: string): Promise<string> =>
    (await facts.reader.text(`${folderOf(pf.address)}/${name}`)) ?? '';
  const totalVfs = Number((await text('sriov_totalvfs')) || 0);
  if (!(totalVfs > 0)) return null;
  const addresses = pf.virtualFunctions.known ? pf.virtualFunctions.value : [];
  const vfs = addresses.flatMap((address) =>
    facts.functions.filter((fn) => fn.address === address),
  );
  // The kernel prints it without leading zeroes (sriov_vf_device_show, "%x").
  const vfDevice = (
    (await text('sriov_vf_device')) || (pf.ids.known ? pf.ids.value.device : '')
  ).padStart(4, '0');
  const own =
    vfs.map((vf) => drivers(vf, facts).nativeDriver).find((name) => name !== null) ?? null;
  return {
    ...{ totalVfs, numVfs: vfs.length, vfDevice },
    vfOffset: Number((await text('sriov_offset')) || 1) || 1,
    vfStride: Number((await text('sriov_stride')) || 1) || 1,
    vfDriver: own,
    vfs: await Promise.all(vfs.map((vf) => vfSpec(vf, own, facts))),
  };
}

async function vfSpec(vf: PciFunction, own: string | null, facts: Facts): Promise<VfSpec> {
  const { override } = drivers(vf, facts);
  const bound = boundTo(vf);
  return {
    bound: bound === own ? null : (bound ?? 'none'),
    override,
    group: groupOf(vf, facts),
    children: await facts.childrenOf(vf),
  };
}
