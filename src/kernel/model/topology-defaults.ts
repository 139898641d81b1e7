// What a topology file may leave out, and what it then means. The filling and the export both ask here, so
// that a default is left out of an export exactly where a file may leave it out.
import { addressParts, slotOf, type PciAddress } from '../../pci/address.ts';
import type { ChildrenSpec, DeviceSpec, DriverSpec, MachineSpec } from './spec.ts';

/** Nothing below the device. */
export const noChildren: ChildrenSpec = {
  net: [],
  block: [],
  nvme: null,
  nvmeSubsystem: null,
  virtio: null,
  drm: [],
  connectors: {},
  framebuffer: null,
  sound: null,
  usb: [],
  serial: [],
  infiniband: [],
  watchdog: null,
  tpm: null,
  dma: [],
  mdev: [],
  vdpa: [],
  other: {},
};

/** Header type by class: PCI bridges (0604), semi-transparent ones (0609), CardBus (0607). */
export function defaultHeader(classCode: string): DeviceSpec['header'] {
  if (/^060[49]/.test(classCode)) return 'bridge';
  return classCode.startsWith('0607') ? 'cardbus' : 'endpoint';
}

/** Whether a slot has several functions among `addresses` (pci_scan_slot sets it on all of them). */
export function severalFunctions(
  addresses: Iterable<PciAddress>,
): (address: PciAddress) => boolean {
  const perSlot = new Map<string, number>();
  for (const address of addresses) {
    perSlot.set(slotOf(address), (perSlot.get(slotOf(address)) ?? 0) + 1);
  }
  return (address) => (perSlot.get(slotOf(address)) ?? 0) > 1;
}

/** Fields that depend on others of the same device. */
export function dependentDefaults(device: {
  readonly classCode: string;
  readonly header: DeviceSpec['header'];
  readonly multifunction: boolean;
  readonly conventionalBelow: boolean;
}): Pick<DeviceSpec, 'acs' | 'nativeDriver' | 'resetMethods' | 'bootVga'> {
  const port = device.header === 'bridge' && !device.conventionalBelow;
  const resets = device.multifunction ? ['flr'] : ['flr', 'bus'];
  return {
    acs: port,
    nativeDriver: port ? 'pcieport' : null,
    resetMethods: device.header === 'endpoint' && !device.classCode.startsWith('06') ? resets : [],
    bootVga: device.classCode.startsWith('0300') ? false : null,
  };
}

/** An IOMMU of a kind, as it is when nothing more is said. */
export function defaultIommu(kind: MachineSpec['iommu']['kind']): MachineSpec['iommu'] {
  const units = { none: [], intel: ['dmar0'], amd: ['ivhd0'] }[kind];
  return { kind, units, interruptRemapping: kind !== 'none', unsafeInterruptsAllowed: false };
}

/** The IOMMU of a machine that says nothing of it. */
export const defaultIommuKind = 'intel';

const moduleOfDriver: Readonly<Record<string, string | null>> = {
  pcieport: null,
  'pci-stub': null,
  shpchp: null,
  ehci_hcd: 'ehci_pci',
  ohci_hcd: 'ohci_pci',
  uhci_hcd: 'uhci_hcd',
  i801_smbus: 'i2c_i801',
  piix4_smbus: 'i2c_piix4',
  mlx5_core: 'mlx5_core',
  serial: '8250_pci',
  dw_dmac_pci: 'dw_dmac_pci',
};

/** A loaded driver; its module has its name with underscores unless the kernel has it otherwise. */
export function defaultDriver(name: string): DriverSpec {
  const listed = moduleOfDriver[name];
  const module = listed === undefined ? name.replaceAll('-', '_') : listed;
  return { name, module, loaded: name !== 'uio_pci_generic', fixed: false };
}

/** Drivers that every machine knows. */
const commonDrivers = ['pci-stub', 'pcieport', 'uio_pci_generic', 'vfio-pci'] as const;

/** The drivers that devices name, and the common ones, sorted. */
export function impliedDrivers(devices: readonly DeviceSpec[]): readonly string[] {
  const names = new Set<string>(commonDrivers);
  const add = (name: string | null): void =>
    void (name !== null && name !== 'none' && names.add(name));
  for (const device of devices) {
    add(device.nativeDriver);
    add(device.bound);
    add(device.sriov?.vfDriver ?? null);
    for (const vf of device.sriov?.vfs ?? []) add(vf.bound);
  }
  return [...names].sort();
}

/** Command line when a file says nothing. */
export const defaultCmdline = 'BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro quiet';
/** Consoles when a file says nothing. */
export const defaultConsoles: readonly string[] = ['tty0'];

/** A boot id that depends on the machine's name alone, in the form of a random UUID. */
export function bootIdOf(name: string): string {
  let digits = '';
  for (let round = 0; digits.length < 32; round++) {
    let h = 0x811c9dc5 ^ round;
    for (const char of name) h = Math.imul(h ^ char.charCodeAt(0), 0x01000193) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0;
    digits += (h >>> 0).toString(16).padStart(8, '0');
  }
  const d = digits;
  return `${d.slice(0, 8)}-${d.slice(8, 12)}-4${d.slice(13, 16)}-a${d.slice(17, 20)}-${d.slice(20, 32)}`;
}

/** A MAC address for an interface that has none, from the device and its place there. */
export function defaultMac(address: PciAddress, index: number): string {
  const { bus, slot, fn } = addressParts(address);
  const pair = (n: number): string => (n & 0xff).toString(16).padStart(2, '0');
  return ['52', '54', pair(index), pair(bus), pair(slot), pair(fn)].join(':');
}

/** A device number for a disk or partition by its name, as the kernel's majors have it; else one of major 259. */
export function devnoOf(name: string, next: () => number): string {
  const scsi = /^(sd|vd|xvd)([a-z])(\d*)$/.exec(name);
  if (scsi !== null) {
    const disk = (scsi[2] ?? 'a').charCodeAt(0) - 97;
    return `${scsi[1] === 'sd' ? 8 : 253}:${disk * 16 + Number(scsi[3])}`;
  }
  const numbered = /^(dm-|md|loop|bcache)(\d+)$/.exec(name);
  if (numbered !== null) {
    const major = { 'dm-': 254, md: 9, loop: 7, bcache: 252 }[numbered[1] ?? ''] ?? 259;
    return `${major}:${numbered[2]}`;
  }
  return `259:${next()}`;
}

/** Sectors of a disk when a file says nothing: 64 GiB. */
export const defaultSectors = 134_217_728;
/** Name of the namespace that processes, mounts and interfaces are in when nothing is said. */
export const hostNamespace = 'host';
