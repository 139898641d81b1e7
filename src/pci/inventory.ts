// The whole node at one look: every PCI function and every IOMMU group, plus the facts of the machine
// that decide whether anything can be passed through at all.
import type { Known } from '../base/known.ts';
import type { PciFunction } from './function.ts';
import type { IommuGroup } from './group.ts';

/** What one pass over the machine found. Functions and groups in order of address and leader. */
export interface Inventory {
  readonly functions: readonly PciFunction[];
  readonly groups: readonly IommuGroup[];
  /** Folders that could not be listed: what they hold is missing above, so nothing may be concluded from absence. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

/** Facts about the machine as a whole. */
export interface NodeFacts {
  /** /proc/sys/kernel/random/boot_id: overrides and group numbers do not outlive it. */
  readonly bootId: Known<string>;
  /** `uname -r`. */
  readonly kernelRelease: Known<string>;
  /** Units in /sys/class/iommu; empty means no IOMMU is active. */
  readonly iommuUnits: Known<readonly string[]>;
  /** IR- chips in /proc/interrupts. Off: SET_IOMMU answers EPERM. */
  readonly interruptRemapping: Known<boolean>;
  /** iommu_group_claim_dma_owner in /proc/kallsyms: the kernel refuses mixed groups (5.19 or backport). */
  readonly ownershipAccounting: Known<boolean>;
  /** An administrator allowed unsafe interrupts (vfio_iommu_type1 or iommufd parameter). */
  readonly unsafeInterruptsAllowed: Known<boolean>;
  /** VFIO drivers that are loaded now, by their sysfs names (`vfio-pci`). */
  readonly vfioDrivers: Known<readonly string[]>;
  /** /dev/vfio/vfio exists: the group path can be used. */
  readonly vfioContainer: Known<boolean>;
  /** /dev/iommu exists: iommufd and device files can be used. */
  readonly iommufd: Known<boolean>;
  /** pcie_acs_override= on the command line: isolation is claimed, not proven. */
  readonly acsOverride: Known<boolean>;
}
