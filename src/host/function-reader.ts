// One PCI function read from its sysfs folder: one listing, then only the files and links that are there, all of
// them without a device lock (drivers/pci/pci-sysfs.c). Texts of another form than the kernel's are unknown.
import { type Known, known, type Unknown, unknown } from '../base/known.ts';
import type { KernelFs } from '../kernel/fs.ts';
import { comparePciAddresses, isPciAddress, type PciAddress } from '../pci/address.ts';
import type { PciFunction, PciIds } from '../pci/function.ts';
import {
  factOf,
  type Form,
  isAbsent,
  orAbsent,
  readAttribute,
  readLinkName,
  readNames,
} from './reading.ts';

/** Where the kernel lists every PCI function. */
export const devicesFolder = '/sys/bus/pci/devices';

const idForm: Form<string> = {
  pattern: /^0x([0-9a-f]{4})\n$/,
  allowed: '0x and four hex digits',
  value: (match) => match[1] ?? '',
};
const classForm: Form<string> = {
  pattern: /^0x([0-9a-f]{6})\n$/,
  allowed: '0x and six hex digits',
  value: (match) => match[1] ?? '',
};
const numaForm: Form<number | null> = {
  pattern: /^(-1|\d{1,5})\n$/,
  allowed: 'a node number or -1',
  value: (match) => (match[1] === '-1' ? null : Number(match[1])),
};
const countForm: Form<number> = {
  pattern: /^(\d{1,9})\n$/,
  allowed: 'a count of 0 or more',
  value: (match) => Number(match[1]),
};

/** Listings of folders, each kept once: a thousand functions have a dozen different ones. */
export class FolderNames {
  readonly #sets = new Map<string, ReadonlySet<string>>();

  /** The set of `names`; the same object for the same listing. */
  setOf(names: readonly string[]): ReadonlySet<string> {
    const key = names.join('/');
    const there = this.#sets.get(key) ?? new Set(names);
    this.#sets.set(key, there);
    return there;
  }
}

/** What the readers of one inventory share. */
export interface ReaderState {
  /** What could not be listed or followed: nothing may be concluded from its absence. */
  readonly unreadable: Unknown[];
  readonly folderNames: FolderNames;
}

/**
 * What the folder of `address` tells; null when the device is not there (any more) or cannot be listed. What
 * could not be listed or followed is added to `unreadable`.
 */
export async function readFunction(
  kernel: KernelFs,
  address: PciAddress,
  { unreadable, folderNames }: ReaderState,
): Promise<PciFunction | null> {
  const folder = `${devicesFolder}/${address}`;
  const names = await readNames(kernel, folder);
  if (!names.known) {
    if (!isAbsent(names)) unreadable.push(names);
    return null;
  }
  const entries = folderNames.setOf(names.value);
  // All asked at once: over a served machine each would cost a round trip of its own.
  const [ids, classCode, driver, vfioDevice, groupNumber, numaNode, ...rest] = await Promise.all([
    readIds(kernel, folder),
    readAttribute(kernel, `${folder}/class`, classForm),
    readOptionalLink(kernel, folder, 'driver', entries),
    readVfioDevice(kernel, folder, entries),
    readGroupNumber(kernel, folder, entries),
    readNumaNode(kernel, folder, entries),
    readEnableCount(kernel, address),
    readPhysicalFunction(kernel, folder, entries),
    readVirtualFunctions(kernel, folder, names.value),
    readUpstream(kernel, folder, unreadable),
  ]);
  const [enableCount, physicalFunction, virtualFunctions, upstream] = rest;
  const fn: PciFunction = {
    ...{ address, ids, classCode, driver, vfioDevice, groupNumber, numaNode },
    ...{ enableCount, physicalFunction, virtualFunctions, upstream, entries },
  };
  return (await isGone(kernel, fn)) ? null : fn;
}

/**
 * The function with its attributes read again. Its links and what is in its folder stay as they were: they change only
 * with an event (driver, VFIO device, group, virtual functions).
 */
export async function rereadAttributes(kernel: KernelFs, fn: PciFunction): Promise<PciFunction> {
  const folder = `${devicesFolder}/${fn.address}`;
  const [ids, classCode, numaNode, enableCount] = await Promise.all([
    readIds(kernel, folder),
    readAttribute(kernel, `${folder}/class`, classForm),
    readNumaNode(kernel, folder, fn.entries),
    readEnableCount(kernel, fn.address),
  ]);
  return { ...fn, ids, classCode, numaNode, enableCount };
}

/**
 * The function with its count read again; the same object when that is what it was. For a device that no uevent has
 * replaced: vendor and class are read too, to see that they can be, and where they say something else all of it is read.
 */
export async function rereadCount(kernel: KernelFs, fn: PciFunction): Promise<PciFunction> {
  const folder = `${devicesFolder}/${fn.address}`;
  const [vendor, classCode, enableCount] = await Promise.all([
    readAttribute(kernel, `${folder}/vendor`, idForm),
    readAttribute(kernel, `${folder}/class`, classForm),
    readEnableCount(kernel, fn.address),
  ]);
  const { ids, enableCount: before } = fn;
  const isSame =
    ids.known &&
    isEqual(vendor, known(ids.value.vendor)) &&
    isEqual(classCode, fn.classCode) &&
    enableCount.known;
  if (!isSame) return rereadAttributes(kernel, fn);
  return isEqual(before, enableCount) ? fn : { ...fn, enableCount };
}

function isEqual<T>(a: Known<T>, b: Known<T>): boolean {
  return a.known && b.known && a.value === b.value;
}

/** `enable`: how often the device is enabled; no lock is taken (drivers/pci/pci-sysfs.c enable_show). */
export function readEnableCount(kernel: KernelFs, address: PciAddress): Promise<Known<number>> {
  return readAttribute(kernel, `${devicesFolder}/${address}/enable`, countForm);
}

/** A file that vanished after the listing may mean that the whole device did: then it is gone, not unknown. */
async function isGone(kernel: KernelFs, fn: PciFunction): Promise<boolean> {
  const facts = [fn.ids, fn.classCode, fn.driver, fn.vfioDevice, fn.groupNumber, fn.numaNode];
  const more = [fn.enableCount, fn.physicalFunction, fn.virtualFunctions];
  if (![...facts, ...more].some(isAbsent)) return false;
  const there = await kernel.exists(`${devicesFolder}/${fn.address}`);
  return there.kind === 'value' && !there.value;
}

async function readIds(kernel: KernelFs, folder: string): Promise<Known<PciIds>> {
  const read = (file: string): Promise<Known<string>> =>
    readAttribute(kernel, `${folder}/${file}`, idForm);
  const [vendor, device, subsystemVendor, subsystemDevice] = await Promise.all([
    read('vendor'),
    read('device'),
    read('subsystem_vendor'),
    read('subsystem_device'),
  ]);
  if (!vendor.known) return vendor;
  if (!device.known) return device;
  if (!subsystemVendor.known) return subsystemVendor;
  if (!subsystemDevice.known) return subsystemDevice;
  return known({
    vendor: vendor.value,
    device: device.value,
    subsystemVendor: subsystemVendor.value,
    subsystemDevice: subsystemDevice.value,
  });
}

/** The file is absent on kernels without NUMA. */
async function readNumaNode(
  kernel: KernelFs,
  folder: string,
  entries: ReadonlySet<string>,
): Promise<Known<number | null>> {
  if (!entries.has('numa_node')) return known(null);
  return readAttribute(kernel, `${folder}/numa_node`, numaForm);
}

/** Basename of a link that is there only sometimes. */
async function readOptionalLink(
  kernel: KernelFs,
  folder: string,
  name: string,
  entries: ReadonlySet<string>,
): Promise<Known<string | null>> {
  if (!entries.has(name)) return known(null);
  return orAbsent(await readLinkName(kernel, `${folder}/${name}`), null);
}

/** `vfio-dev/` (Linux 6.1 and newer) holds one folder, named as the device file. */
async function readVfioDevice(
  kernel: KernelFs,
  folder: string,
  entries: ReadonlySet<string>,
): Promise<Known<string | null>> {
  if (!entries.has('vfio-dev')) return known(null);
  const names = await readNames(kernel, `${folder}/vfio-dev`);
  if (!names.known) return isAbsent(names) ? known(null) : names;
  return known(names.value.find((name) => /^vfio\d+$/.test(name)) ?? null);
}

async function readGroupNumber(
  kernel: KernelFs,
  folder: string,
  entries: ReadonlySet<string>,
): Promise<Known<number | null>> {
  const name = await readOptionalLink(kernel, folder, 'iommu_group', entries);
  if (!name.known || name.value === null) return name.known ? known(null) : name;
  if (/^\d{1,9}$/.test(name.value)) return known(Number(name.value));
  return unknown(`${folder}/iommu_group`, `leads to ${name.value} instead of a group number`);
}

async function readPhysicalFunction(
  kernel: KernelFs,
  folder: string,
  entries: ReadonlySet<string>,
): Promise<Known<PciAddress | null>> {
  const name = await readOptionalLink(kernel, folder, 'physfn', entries);
  if (!name.known || name.value === null) return name.known ? known(null) : name;
  return asAddress(`${folder}/physfn`, name.value);
}

async function readVirtualFunctions(
  kernel: KernelFs,
  folder: string,
  names: readonly string[],
): Promise<Known<readonly PciAddress[]>> {
  const found: PciAddress[] = [];
  for (const name of names) {
    if (!name.startsWith('virtfn')) continue;
    const path = `${folder}/${name}`;
    const target = await readLinkName(kernel, path);
    if (isAbsent(target)) continue; // VFs were disabled since the listing
    const address = target.known ? asAddress(path, target.value) : target;
    if (!address.known) return address;
    found.push(address.value);
  }
  return known(found.sort(comparePciAddresses));
}

function asAddress(path: string, name: string): Known<PciAddress> {
  return isPciAddress(name)
    ? known(name)
    : unknown(path, `leads to ${name} instead of a PCI address`);
}

/** The functions above, from the place of the folder in the device tree (`…/0000:00:03.0/0000:01:00.0`). */
async function readUpstream(
  kernel: KernelFs,
  folder: string,
  unreadable: Unknown[],
): Promise<readonly PciAddress[]> {
  const place = factOf(folder, await kernel.readLink(folder));
  if (place.known) return place.value.split('/').slice(0, -1).filter(isPciAddress);
  if (!isAbsent(place)) unreadable.push(place);
  return [];
}
