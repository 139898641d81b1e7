// Reasons that are not a use by the host: the machine, the group, a member, or a person.
import type { BlockerEntry } from './entry.ts';

/** Reasons that are not a use by the host: the machine, the group, a member, or a person. */
export const structuralBlockerKinds = [
  ...(['IommuAbsent', 'OwnershipAccountingAbsent', 'InterruptRemappingOff'] as const),
  ...([
    'VfioDriverNotLoaded',
    'VfioAccessUnavailable',
    'NoiommuGroup',
    'FirmwareMappedRegion',
  ] as const),
  ...([
    'NonPciMember',
    'BridgeHeld',
    'CompanionNotPermitted',
    'NoEndpoint',
    'DriverNotReleasable',
  ] as const),
  ...([
    'ReleasePending',
    'DeviceInaccessible',
    'ResetUnavailable',
    'Cordoned',
    'UnknownFact',
  ] as const),
] as const;

/** One of the structural reasons. */
export type StructuralBlockerKind = (typeof structuralBlockerKinds)[number];

/** Meaning and remedy of the structural reasons. */
export const structuralBlockers = {
  IommuAbsent: {
    says: 'has no IOMMU group ({})',
    remedy:
      'Enable VT-d or AMD-Vi in the firmware and boot with intel_iommu=on (AMD: on by default).',
    waivable: false,
  },
  OwnershipAccountingAbsent: {
    says: 'is on a kernel that does not refuse mixed groups ({})',
    remedy: 'Boot Linux 5.19 or newer, or a distribution kernel with the backport.',
    waivable: false,
  },
  InterruptRemappingOff: {
    says: 'cannot be given away safely: interrupt remapping is off ({})',
    remedy:
      'Enable interrupt remapping (x2APIC) in the firmware; VFIO refuses the group without it.',
    waivable: false,
  },
  VfioDriverNotLoaded: {
    says: 'needs a VFIO driver that is not loaded ({})',
    remedy: 'Load the module on the node (modprobe vfio-pci) and at every boot.',
    waivable: false,
  },
  VfioAccessUnavailable: {
    says: 'cannot be handed out: a device file of VFIO is missing ({})',
    remedy:
      'Let the host and the agent have /dev/vfio (modprobe vfio); access: Cdev needs a kernel with iommufd as well.',
    waivable: false,
  },
  NoiommuGroup: {
    says: 'is in a no-IOMMU group, which isolates nothing ({})',
    remedy: 'Turn enable_unsafe_noiommu_mode off and use a real IOMMU.',
    waivable: false,
  },
  FirmwareMappedRegion: {
    says: 'has memory that the firmware insists on mapping, so VFIO will refuse it ({})',
    remedy: 'Turn the RMRR of this device off in the firmware, or use another device.',
    waivable: false,
  },
  NonPciMember: {
    says: 'shares its group with a device that is not PCI ({})',
    remedy: 'Such a group cannot be released; use another slot or another device.',
    waivable: false,
  },
  BridgeHeld: {
    says: 'is a bridge with a driver that owns DMA ({})',
    remedy:
      'Unbind that driver from the bridge (or keep it from loading); pcieport and none are fine.',
    waivable: false,
  },
  CompanionNotPermitted: {
    says: 'would have to come along and the policy does not permit it ({})',
    remedy:
      'Allow it with companions: Any, or Listed with companionDevices, if the host can do without it.',
    waivable: false,
  },
  NoEndpoint: {
    says: 'has no function that could be handed out ({})',
    remedy: 'Select the devices behind the bridge instead.',
    waivable: false,
  },
  DriverNotReleasable: {
    says: 'has a driver that does not allow unbinding ({})',
    remedy: 'Keep that driver from binding (driver_override or a module blacklist at boot).',
    waivable: false,
  },
  ReleasePending: {
    says: 'is still being released by the kernel ({})',
    remedy: 'Stop whoever has it open; the release completes by itself then.',
    waivable: false,
  },
  DeviceInaccessible: {
    says: 'does not answer on the bus ({})',
    remedy: 'Power-cycle the device; it has fallen off the bus or sleeps in D3cold.',
    waivable: false,
  },
  ResetUnavailable: {
    says: 'cannot be reset between tenants ({})',
    remedy: 'Use reset: Preferred if tenants trust each other, or another device.',
    waivable: false,
  },
  Cordoned: {
    says: 'was taken out of service ({})',
    remedy: 'Uncordon the group when it may be used again.',
    waivable: false,
  },
  UnknownFact: {
    says: 'could not be read ({})',
    remedy: 'Let the agent read what it names; a device that just vanished settles by itself.',
    waivable: false,
  },
} as const satisfies Record<StructuralBlockerKind, BlockerEntry>;
