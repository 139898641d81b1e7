// The QEMU machine on which the recorded transcripts were taken (q35, emulated Intel IOMMU), as a MachineSpec.
// Two variants: with ACPI hot-plug of bridges (shpchp then
// fails on 00:08.0), and without it (shpchp takes the bridge).
import type {
  ChildrenSpec,
  DeviceSpec,
  KernelProfile,
  MachineSpec,
} from '../../src/kernel/model/spec.ts';
import { noChildren } from '../../src/kernel/model/topology-defaults.ts';
import type { PciAddress } from '../../src/pci/address.ts';

/** Which of the two variants. */
export type Variant = 'acpi-hotplug' | 'shpc';

const slots = '/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A08:00';

/** ACPI nodes of the slots, as this machine's DSDT numbers them: depth first. 05.1 and 1f.2 have none. */
const firmwareNodes: Readonly<Record<string, string>> = {
  '0000:00:00.0': 'device:00',
  '0000:00:05.0': 'device:01',
  '0000:00:06.0': 'device:02',
  '0000:00:07.0': 'device:03',
  '0000:01:00.0': 'device:03/device:04',
  '0000:00:08.0': 'device:05',
  '0000:02:01.0': 'device:05/device:07',
  '0000:00:09.0': 'device:26',
  '0000:03:00.0': 'device:26/device:27',
  '0000:00:0a.0': 'device:28',
  '0000:04:00.0': 'device:28/device:29',
  '0000:00:1f.0': 'device:2a',
  '0000:00:1f.3': 'device:2b',
};

/** Slots below the PCIe-to-PCI bridge: device:06 is slot 0. */
const firstBridgeSlot = 6;

function firmwareNodeOf(address: string): string | null {
  const known = firmwareNodes[address];
  if (known !== undefined) return `${slots}/${known}`;
  const slot = /^0000:02:([01][0-9a-f])\.0$/.exec(address)?.[1];
  if (slot === undefined) return null;
  const node = (firstBridgeSlot + Number.parseInt(slot, 16)).toString(16).padStart(2, '0');
  return `${slots}/device:05/device:${node}`;
}

/** Texts that only this machine has. */
const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '0000:00:05.0': { irq: '21', dma_mask_bits: '32', rom: '' },
  '0000:00:05.1': { irq: '21', dma_mask_bits: '32', rom: '' },
  '0000:00:06.0': { irq: '22', d3cold_allowed: '1' },
  '0000:00:07.0': { irq: '23', dma_mask_bits: '32' },
  '0000:00:08.0': { irq: '20', dma_mask_bits: '32', d3cold_allowed: '1' },
  '0000:00:09.0': { irq: '21', dma_mask_bits: '32' },
  '0000:00:0a.0': { irq: '22', dma_mask_bits: '32' },
  '0000:00:1f.2': { irq: '10', dma_mask_bits: '32' },
  '0000:00:1f.3': { irq: '10', dma_mask_bits: '32' },
  '0000:01:00.0': { irq: '11', dma_mask_bits: '32', rom: '' },
  '0000:02:01.0': { irq: '21', dma_mask_bits: '32', d3cold_allowed: '0', rom: '' },
  '0000:04:00.0': { irq: '22' },
};

/** What a function of this machine says of itself. */
export type Given = Partial<DeviceSpec> & Pick<DeviceSpec, 'vendor' | 'device' | 'classCode'>;

/** A function of this machine. */
export function device(address: string, parent: string | null, given: Given): DeviceSpec {
  return {
    address: address as PciAddress,
    parent: parent as PciAddress | null,
    subsystemVendor: '1af4',
    subsystemDevice: '1100',
    revision: '00',
    header: given.classCode.startsWith('0604') ? 'bridge' : 'endpoint',
    multifunction: false,
    acs: false,
    conventionalBelow: false,
    group: null,
    nativeDriver: null,
    bound: null,
    override: null,
    realDmaDevice: null,
    dmaAliases: [],
    numaNode: -1,
    resetMethods: [],
    bootVga: null,
    sriov: null,
    reservedRegions: [],
    p2pmem: null,
    dead: false,
    firmwareNode: firmwareNodeOf(address),
    children: noChildren,
    ...given,
    attributes: { ...texts[address], ...given.attributes },
  };
}

const net = (name: string, mac: string): ChildrenSpec['net'] => [
  {
    name,
    mac,
    up: false,
    carrier: false,
    addresses: [],
    master: null,
    uppers: [],
    namespace: null,
  },
];

/** An e1000 card. */
export const e1000 = (name: string, mac: string): Given => ({
  vendor: '8086',
  device: '100e',
  classCode: '020000',
  revision: '03',
  nativeDriver: 'e1000',
  children: { ...noChildren, net: net(name, mac) },
});

/** An NVMe controller, with a disk or without. */
export const nvme = (name: string, disk: string | null): Given => ({
  vendor: '1b36',
  device: '0010',
  classCode: '010802',
  revision: '02',
  nativeDriver: 'nvme',
  resetMethods: ['flr'],
  children: {
    ...noChildren,
    nvme: name,
    block:
      disk === null
        ? []
        : [
            {
              name: disk,
              sectors: 16384,
              devno: '259:0',
              partitions: [],
              contents: null,
              holders: [],
            },
          ],
  },
});

const port = (acs: boolean, services: readonly string[], bus: string, slot: string): Given => ({
  vendor: '1b36',
  device: '000c',
  classCode: '060400',
  subsystemVendor: '1b36',
  subsystemDevice: '0000',
  nativeDriver: 'pcieport',
  acs,
  children: { ...noChildren, other: { pci_express: services, pci_bus: [bus], slots: [slot] } },
});

/** The bridge's slots as acpiphp names them. */
const bridgeSlots = ['0-2', ...Array.from({ length: 31 }, (_, i) => String(i + 1))];

const chipset = (id: string, classCode: string): Given => ({
  vendor: '8086',
  device: id,
  classCode,
  revision: '02',
  multifunction: true,
});

function devices(variant: Variant): readonly DeviceSpec[] {
  const shpc = variant === 'shpc';
  const services = ['pcie001', 'pcie002', ...(shpc ? ['pcie004'] : []), 'pcie010'];
  return [
    device('0000:00:00.0', null, { vendor: '8086', device: '29c0', classCode: '060000' }),
    device('0000:00:05.0', null, { ...e1000('eth0', '52:54:00:12:34:56'), multifunction: true }),
    device('0000:00:05.1', null, {
      ...e1000('eth1', '52:54:00:12:34:57'),
      multifunction: true,
      headerMultifunction: false,
    }),
    device('0000:00:06.0', null, nvme('nvme0', 'nvme0n1')),
    device('0000:00:07.0', null, port(false, services, '0000:01', '0')),
    device('0000:00:08.0', null, {
      vendor: '1b36',
      device: '000e',
      classCode: '060400',
      subsystemVendor: '0000',
      subsystemDevice: '0000',
      conventionalBelow: true,
      nativeDriver: shpc ? 'shpchp' : null,
      resetMethods: ['pm'],
      children: { ...noChildren, other: { pci_bus: ['0000:02'], slots: bridgeSlots } },
    }),
    device('0000:00:09.0', null, port(false, services, '0000:03', '0-3')),
    device('0000:00:0a.0', null, port(true, services, '0000:04', '0-4')),
    device('0000:00:1f.0', null, chipset('2918', '060100')),
    device('0000:00:1f.2', null, chipset('2922', '010601')),
    device('0000:00:1f.3', null, chipset('2930', '0c0500')),
    // No driver for this one is loaded in the recordings.
    device('0000:01:00.0', '0000:00:07.0', {
      vendor: '8086',
      device: '10d3',
      classCode: '020000',
      subsystemVendor: '8086',
      subsystemDevice: '0000',
      nativeDriver: 'e1000e',
      resetMethods: ['pm', 'bus'],
    }),
    device('0000:02:01.0', '0000:00:08.0', {
      ...e1000('eth2', '52:54:00:12:34:58'),
      resetMethods: ['bus'],
    }),
    device('0000:04:00.0', '0000:00:0a.0', {
      ...nvme('nvme1', null),
      resetMethods: ['flr', 'bus'],
      sriov: {
        totalVfs: 2,
        numVfs: 0,
        vfDevice: '0010',
        vfOffset: 1,
        vfStride: 1,
        // QEMU keeps the VFs offline until the controller gives them resources: nvme fails on them.
        vfDriver: null,
        vfs: [],
      },
    }),
  ];
}

/** Drivers in order of registration: built in first, then the modules as the guest loaded them. */
const driverNames: readonly (readonly [name: string, module: string | null])[] = [
  ['pcieport', 'pcieportdrv'],
  ['shpchp', 'shpchp'],
  ['xen-platform-pci', 'platform_pci'],
  ['agpgart-intel', 'intel_agp'],
  ['agpgart-sis', 'sis_agp'],
  ['agpgart-via', 'via_agp'],
  ['serial', '8250_pci'],
  ['8250_mid', '8250_mid'],
  ['8250_pericom', '8250_pericom'],
  ['iosf_mbi_pci', 'iosf_mbi'],
  ['virtio-pci', 'virtio_pci'],
  ['vfio-pci', 'vfio_pci'],
  ['pci-stub', 'pci_stub'],
  ['e1000', 'e1000'],
  ['nvme', 'nvme'],
  ['uio_pci_generic', 'uio_pci_generic'],
];

/** Before 6.12 Debian built virtio-pci as a module, and the port driver had no module folder. */
function driversOf(profile: KernelProfile): MachineSpec['drivers'] {
  const old = profile === '6.1' || profile === 'legacy';
  return driverNames
    .filter(([name]) => !old || name !== 'virtio-pci')
    .map(([name, module]) => {
      const builtIn = old && name === 'pcieport';
      return { name, module: builtIn ? null : module, loaded: true, fixed: false };
    });
}

/** The machine of the transcripts. */
export function transcriptMachine(profile: KernelProfile, variant: Variant): MachineSpec {
  return {
    name: 'transcripts',
    description: 'q35 guest with an emulated Intel IOMMU',
    profile,
    release: null,
    bootId: '7d5d2f2e-4f0a-4c57-9a0e-0d4a6c4e5b11',
    cmdline: 'console=ttyS0 rdinit=/init intel_iommu=on',
    iommu: {
      kind: 'intel',
      units: ['dmar0'],
      interruptRemapping: true,
      unsafeInterruptsAllowed: false,
      // Caching mode makes the domains strict.
      domainType: 'DMA',
    },
    cdev: false,
    noiommuMode: false,
    devices: devices(variant),
    platformDevices: [],
    drivers: driversOf(profile),
    modules: [],
    stacked: [],
    virtualNets: [],
    storageTargets: [],
    mounts: [],
    swaps: [],
    routes: [],
    processes: [],
    zfsPools: [],
    consoles: ['ttyS0'],
  };
}
