// A device that a driver made below a PCI function (an interface, a disk, a sound card), or that has no
// hardware (/devices/virtual): what /sys/class, /dev and uevents know of it.
import type { BlockSpec, NetSpec, UsbSpec } from '../spec-children.ts';
import type { PciDevice } from './pci-device.ts';

/** What a child is, for those who render its files. `plain`: nothing beyond its name. */
export type ChildFacts =
  | { readonly kind: 'net'; readonly net: NetSpec; readonly ifindex: number }
  | { readonly kind: 'block'; readonly block: BlockSpec; readonly partition: boolean }
  | { readonly kind: 'usb'; readonly usb: UsbSpec }
  | { readonly kind: 'usb-interface'; readonly usb: UsbSpec; readonly classes: string }
  | { readonly kind: 'connector'; readonly status: string }
  | { readonly kind: 'sound'; readonly card: number; readonly open: readonly string[] }
  | { readonly kind: 'serial'; readonly console: boolean }
  | { readonly kind: 'watchdog'; readonly state: string }
  | { readonly kind: 'dma'; readonly inUse: boolean }
  | { readonly kind: 'plain' };

/** What a child hangs under: a PCI function, another child, or a fixed folder of /sys (`/devices/virtual`). */
export type ChildParent =
  | PciDevice
  | ChildDevice
  | { readonly kind: 'root'; readonly devpath: string };

/** How a child is made. */
export interface ChildForm {
  readonly name: string;
  /** Class or bus name. */
  readonly subsystem: string;
  readonly parent: ChildParent;
  /** On a bus (usb, virtio, pci_express) instead of in a class: no folder named after the subsystem above it. */
  readonly bus?: boolean;
  /** Node below /dev, when it has one. */
  readonly devname?: string;
  /** "259:0" */
  readonly devno?: string;
  readonly devtype?: string;
  /** Driver that is bound to it (buses only): a link, and DRIVER= in its events. */
  readonly driver?: string;
  /** Text files in its folder, without the newline. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly facts?: ChildFacts;
}

/** struct device of a class or a bus other than PCI. */
export class ChildDevice {
  readonly kind = 'child';
  readonly name: string;
  readonly subsystem: string;
  readonly parent: ChildParent;
  readonly bus: boolean;
  readonly devname: string | null;
  readonly devno: string | null;
  readonly devtype: string | null;
  readonly driver: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** Replaced as a whole when the running machine changes (an interface goes up, a stream opens). */
  facts: ChildFacts;
  /** Children in order of creation. */
  readonly children: ChildDevice[] = [];
  /** `/devices/…` */
  readonly devpath: string;

  constructor(form: ChildForm) {
    this.name = form.name;
    this.subsystem = form.subsystem;
    this.parent = form.parent;
    this.bus = form.bus ?? false;
    this.devname = form.devname ?? null;
    this.devno = form.devno ?? null;
    this.devtype = form.devtype ?? null;
    this.driver = form.driver ?? null;
    this.attributes = form.attributes ?? {};
    this.facts = form.facts ?? { kind: 'plain' };
    const glue = this.folderBetween;
    this.devpath = `${form.parent.devpath}/${glue === null ? '' : `${glue}/`}${form.name}`;
  }

  /** Name of the folder between parent and child (get_device_parent of drivers/base/core.c), or null. */
  get folderBetween(): string | null {
    if (this.bus) return null;
    const parentInClass = this.parent.kind === 'child' && !this.parent.bus;
    // Queues of an interface are no class devices, but lie in a folder of that name just the same.
    return parentInClass && this.subsystem !== 'queues' ? null : this.subsystem;
  }

  /** Absolute path of its folder. */
  get path(): string {
    return `/sys${this.devpath}`;
  }

  /** The PCI function above, if there is one. */
  get function(): PciDevice | null {
    if (this.parent.kind === 'pci') return this.parent;
    return this.parent.kind === 'child' ? this.parent.function : null;
  }
}
