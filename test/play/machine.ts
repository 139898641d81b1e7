// The QEMU machine on which the recorded transcripts were taken (q35, emulated Intel IOMMU), as a MachineSpec.
// Variants: with ACPI hot-plug of bridges (shpchp then
// fails on 00:08.0) as usual, without it (shpchp takes the bridge), and kernels or firmware set up otherwise.
import type { DeviceSpec, KernelProfile, MachineSpec } from '../../src/kernel/model/spec.ts';
import { noChildren } from '../../src/kernel/model/topology-defaults.ts';
import { device, e1000, nvme, type Given } from './functions.ts';
import { withoutAcpiHotplug } from './shpc.ts';

/** The variants, by name. */
export const variants = [
  'acpi-hotplug',
  'shpc',
  'cdev',
  'no-interrupt-remapping',
  'no-iommu',
  'noiommu-mode',
] as const;

/** One of the variants. */
export type Variant = (typeof variants)[number];

/** Power management events, error reporting, bandwidth notification. */
const services = ['pcie001', 'pcie002', 'pcie010'];

const port = (acs: boolean, bus: string, slot: string): Given => ({
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

function devices(): readonly DeviceSpec[] {
  return [
    device('0000:00:00.0', null, { vendor: '8086', device: '29c0', classCode: '060000' }),
    device('0000:00:05.0', null, { ...e1000('eth0', '52:54:00:12:34:56'), multifunction: true }),
    device('0000:00:05.1', null, {
      ...e1000('eth1', '52:54:00:12:34:57'),
      multifunction: true,
      headerMultifunction: false,
    }),
    device('0000:00:06.0', null, nvme('nvme0', 'nvme0n1')),
    device('0000:00:07.0', null, port(false, '0000:01', '0')),
    device('0000:00:08.0', null, {
      vendor: '1b36',
      device: '000e',
      classCode: '060400',
      subsystemVendor: '0000',
      subsystemDevice: '0000',
      conventionalBelow: true,
      resetMethods: ['pm'],
      children: { ...noChildren, other: { pci_bus: ['0000:02'], slots: bridgeSlots } },
    }),
    device('0000:00:09.0', null, port(false, '0000:03', '0-3')),
    device('0000:00:0a.0', null, port(true, '0000:04', '0-4')),
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

function iommuOf(variant: Variant): MachineSpec['iommu'] {
  const none = variant === 'no-iommu' || variant === 'noiommu-mode';
  return {
    kind: none ? 'none' : 'intel',
    units: none ? [] : ['dmar0'],
    interruptRemapping: !none && variant !== 'no-interrupt-remapping',
    unsafeInterruptsAllowed: false,
    // Caching mode makes the domains strict.
    domainType: 'DMA',
  };
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
    iommu: iommuOf(variant),
    cdev: variant === 'cdev' || variant === 'noiommu-mode',
    noiommuMode: variant === 'noiommu-mode',
    devices: variant === 'shpc' ? devices().map(withoutAcpiHotplug) : devices(),
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
