// What hangs below a device while its native driver is bound, as data: interfaces, disks, displays, USB.
// No PCI facts here; spec.ts has those.

/** A network interface that the native driver of a device creates when it binds. */
export interface NetSpec {
  readonly name: string;
  readonly mac: string;
  readonly up: boolean;
  readonly carrier: boolean;
  /** CIDR texts, v4 and v6. */
  readonly addresses: readonly string[];
  /** Bond, bridge or team this is a port of. */
  readonly master: string | null;
  /** vlan, macvlan or ipvlan devices on top. */
  readonly uppers: readonly string[];
  /** Name of the network namespace it was moved to; null: the host's. `net/` is then present but empty. */
  readonly namespace: string | null;
}

/** A network interface without hardware. */
export interface VirtualNetSpec extends NetSpec {
  /** DEVTYPE of its uevent (`bond`, `bridge`, `vlan`, `team`, `openvswitch`, `dummy`, `veth`). */
  readonly type: string;
}

/** A block device (disk or namespace) that the native driver creates. Partitions carry the same fields. */
export interface BlockSpec {
  readonly name: string;
  /** 512-byte sectors. */
  readonly sectors: number;
  /** "259:0" */
  readonly devno: string;
  readonly partitions: readonly BlockSpec[];
  /** Content signature as udev's database has it (ID_FS_TYPE): ext4, xfs, LVM2_member, linux_raid_member, zfs_member, crypto_LUKS, swap, … */
  readonly contents: string | null;
  /** Devices stacked on top: dm-0, md0, bcache0 (names of `stacked` entries of the machine). */
  readonly holders: readonly string[];
}

/** A virtual block device above real ones: dm, md, bcache, loop. */
export interface StackedSpec {
  readonly name: string;
  readonly devno: string;
  /** dm/uuid (`LVM-…`, `CRYPT-…`, `mpath-…`), null otherwise. */
  readonly dmUuid: string | null;
  readonly dmName: string | null;
  /** md/array_state (`clean`, `active`, `inactive`), null otherwise. */
  readonly mdState: string | null;
  /** loop/backing_file, null otherwise. */
  readonly backingFile: string | null;
  readonly holders: readonly string[];
}

/** A USB device below a USB controller. */
export interface UsbSpec {
  /** Path name (`1-2`). */
  readonly name: string;
  readonly product: string;
  /** bInterfaceClass/bInterfaceSubClass/bInterfaceProtocol of its interfaces, two hex digits each: "03/01/01". */
  readonly interfaces: readonly string[];
  /** What its interfaces bring: disks, interfaces, serial lines (`ttyUSB0`), inputs (`input3`). */
  readonly block: readonly BlockSpec[];
  readonly net: readonly NetSpec[];
  readonly serial: readonly string[];
  readonly input: readonly string[];
}

/** What appears below a device when its native driver is bound. */
export interface ChildrenSpec {
  readonly net: readonly NetSpec[];
  readonly block: readonly BlockSpec[];
  /** NVMe controller name (`nvme0`) for devices whose block devices are namespaces. */
  readonly nvme: string | null;
  /** Subsystem name (`nvme-subsys1`) when NVMe multipath makes the disks: they have no PCI device in their path then. */
  readonly nvmeSubsystem: string | null;
  /** virtio device (`virtio1`) that everything below hangs under; null: nothing lies between. */
  readonly virtio: string | null;
  /** DRM nodes (`card0`, `renderD128`) and connectors (`card0-HDMI-A-1`: status). */
  readonly drm: readonly string[];
  readonly connectors: Readonly<Record<string, string>>;
  /** Framebuffer (`fb0`) whose console is bound to it. */
  readonly framebuffer: string | null;
  /** Sound card number with its open PCM streams (`pcm0p`). */
  readonly sound: { readonly card: number; readonly open: readonly string[] } | null;
  readonly usb: readonly UsbSpec[];
  readonly serial: readonly { readonly name: string; readonly console: boolean }[];
  readonly infiniband: readonly string[];
  readonly watchdog: { readonly name: string; readonly state: string } | null;
  readonly tpm: string | null;
  /** DMA engine channels (`dma0chan0`) and whether a client has them. */
  readonly dma: readonly { readonly name: string; readonly inUse: boolean }[];
  /** Mediated devices (uuids) and vdpa devices (`vdpa0`) made on it. */
  readonly mdev: readonly string[];
  readonly vdpa: readonly string[];
  /** Further child folders by class name (`i2c-0`, `mdio`, `ptp`): names only. */
  readonly other: Readonly<Record<string, readonly string[]>>;
}
