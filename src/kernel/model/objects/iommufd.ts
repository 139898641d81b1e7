// An iommufd context (/dev/iommu): the cookie under which device files claim their groups.

/** struct iommufd_ctx. Lives while a file, a group or a bound device refers to it. */
export class IommufdContext {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}
