// A VFIO container (/dev/vfio/vfio): the groups that share one address space, and its backend.
import type { VfioGroup } from './vfio-device.ts';

/** struct vfio_container. Lives while a file or a group refers to it; the model needs no count for that. */
export class Container {
  readonly groups: VfioGroup[] = [];
  /** Type given to SET_IOMMU; null before it. */
  backend: number | null = null;
  noiommu = false;
}
