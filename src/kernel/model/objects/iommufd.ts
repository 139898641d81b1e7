// An iommufd context (/dev/iommu): the cookie under which device files claim their groups.

/** struct iommufd_ctx. Lives while a file, a group or a bound device refers to it. */
export class IommufdContext {
  readonly id: number;
  /** It has the address space that stands for a container: a group was given it for one. */
  standsForContainer = false;

  constructor(id: number) {
    this.id = id;
  }
}
