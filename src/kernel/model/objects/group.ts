// An IOMMU group as drivers/iommu/iommu.c keeps it, with the accounting of DMA ownership. The decisions
// (who may claim, who is refused) are in operations/ownership.ts; this is the state they work on.
import type { PciDevice } from './pci-device.ts';
import type { PlatformDevice } from './platform-device.ts';

/** A member. */
export type GroupDevice = PciDevice | PlatformDevice;

/** struct iommu_group. */
export class Group {
  readonly id: number;
  readonly devices = new Set<GroupDevice>();
  /** Members inside dma_configure … dma_cleanup of a driver without driver_managed_dma, or claims of `owner`. */
  ownerCount = 0;
  /** The claimer: a VfioGroup, or an IommufdContext; null: kernel drivers, or nobody. */
  owner: object | null = null;
  domain: 'default' | 'blocking' | 'user' | 'foreign' = 'default';
  /** What `type` shows: DMA, DMA-FQ, identity; unknown for groups without a default domain. */
  type: string;
  /** False for the groups of no-IOMMU mode. */
  readonly hasDefaultDomain: boolean;
  /** `name`, set for `vfio-noiommu` only. */
  readonly name: string | null;
  /** Members in a reset (7.2). */
  recoveryCount = 0;

  constructor(id: number, facts: { type: string; name: string | null }) {
    this.id = id;
    this.type = facts.type;
    this.name = facts.name;
    this.hasDefaultDomain = facts.name === null;
  }

  /** Absolute path of its folder. */
  get path(): string {
    return `/sys/kernel/iommu_groups/${this.id}`;
  }
}
