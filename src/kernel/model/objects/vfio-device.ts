// A registered VFIO device (struct vfio_device) and the VFIO side of a group (struct vfio_group).
import type { ChildDevice } from './child-device.ts';
import type { Container } from './container.ts';
import type { Group } from './group.ts';
import type { IommufdContext } from './iommufd.ts';
import type { OpenFile } from './open-file.ts';
import type { PciDevice } from './pci-device.ts';

/** vfioN: exists from the probe of a VFIO driver until its removal is over. */
export class VfioDevice {
  readonly pci: PciDevice;
  readonly index: number;
  readonly group: VfioGroup;
  /** Listed in its group: GET_DEVICE_FD finds it. */
  listed = true;
  /** Registration references: 1 for the driver, 1 for every open file (`comp` completes at 0). */
  references = 1;
  /** Files through which the hardware is in use now. */
  openCount = 0;
  /** Set while a removal waits for the references. */
  onUnused: (() => void) | null = null;
  /** vfio-dev/vfioN, while it is in /sys. */
  node: ChildDevice | null = null;

  constructor(pci: PciDevice, index: number, group: VfioGroup) {
    this.pci = pci;
    this.index = index;
    this.group = group;
  }

  /** vfio_device_try_get_registration. */
  tryGet(): boolean {
    if (this.references === 0) return false;
    this.references += 1;
    return true;
  }

  /** vfio_device_put_registration. */
  put(): void {
    this.references -= 1;
    if (this.references === 0) this.onUnused?.();
  }
}

/** /dev/vfio/N: exists from the first VFIO-bound member to the last; an open file can outlive it as an orphan. */
export class VfioGroup {
  /** Null once the last VFIO driver has left (the open file is an orphan then). */
  group: Group | null;
  readonly name: string;
  readonly noiommu: boolean;
  readonly devices: VfioDevice[] = [];
  /** Bound VFIO drivers; the node goes at 0. */
  drivers = 0;
  openedFile: OpenFile | null = null;
  container: Container | null = null;
  /** 1 for the container itself and 1 for every open device. */
  containerUsers = 0;
  iommufd: IommufdContext | null = null;
  /** Device files bound through iommufd: keep the group file from being opened. */
  cdevOpenCount = 0;
  node: ChildDevice | null = null;

  constructor(group: Group, noiommu: boolean) {
    this.group = group;
    this.noiommu = noiommu;
    this.name = `${noiommu ? 'noiommu-' : ''}${group.id}`;
  }
}
