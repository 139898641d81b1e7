// A simulated machine as data: what a topology file or an exported dump becomes, and all that the model
// is built from. Only facts of the machine at boot; what happens later (claims, hot-plug, mounts) is done to
// the running model. topology.ts parses and validates files into this.
import type { PciAddress } from '../../pci/address.ts';

/** Which Linux the model answers as. `legacy` stands for kernels without DMA ownership accounting (5.10). */
export type KernelProfile = 'legacy' | '6.1' | '6.12' | '7.2';

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
}

/** What appears below a device when its native driver is bound. */
export interface ChildrenSpec {
  readonly net: readonly NetSpec[];
  readonly block: readonly BlockSpec[];
  /** NVMe controller name (`nvme0`) for devices whose block devices are namespaces. */
  readonly nvme: string | null;
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
  /** Further child folders by class name (`i2c-0`, `mdio`, `ptp`): names only. */
  readonly other: Readonly<Record<string, readonly string[]>>;
}

/** One PCI function of the machine. */
export interface DeviceSpec {
  readonly address: PciAddress;
  /** The bridge above; null on a root bus. */
  readonly parent: PciAddress | null;
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string;
  readonly subsystemDevice: string;
  /** Six hex digits. */
  readonly classCode: string;
  readonly revision: string;
  readonly header: 'endpoint' | 'bridge' | 'cardbus';
  readonly multifunction: boolean;
  /** Port or function has ACS source validation and redirection. */
  readonly acs: boolean;
  /** A PCIe-to-PCI bridge: everything below it has its requester id. */
  readonly conventionalBelow: boolean;
  /** Group number at boot; null: computed by the kernel's algorithm. */
  readonly group: number | null;
  /** Native driver that matches this device (bound at boot when loaded); null: none exists. */
  readonly nativeDriver: string | null;
  /** Driver that is bound at boot when it is not the native one (vfio-pci prebound, none). */
  readonly bound: string | null;
  readonly numaNode: number;
  readonly resetMethods: readonly string[];
  readonly bootVga: boolean | null;
  readonly sriov: {
    readonly totalVfs: number;
    readonly numVfs: number;
    readonly vfDevice: string;
    readonly vfOffset: number;
    readonly vfStride: number;
    readonly vfDriver: string | null;
  } | null;
  /** Lines of the group's reserved_regions that this device brings. */
  readonly reservedRegions: readonly string[];
  /** Published peer-to-peer memory: size and available bytes. */
  readonly p2pmem: { readonly size: number; readonly available: number; readonly published: boolean } | null;
  /** Configuration space answers all ones. */
  readonly dead: boolean;
  readonly children: ChildrenSpec;
}

/** A driver that is loaded (or loadable later). Names of sysfs. */
export interface DriverSpec {
  readonly name: string;
  readonly module: string | null;
  readonly loaded: boolean;
  /** suppress_bind_attrs: no bind and unbind files. */
  readonly fixed: boolean;
}

/** A user process of the machine: what /proc tells of it. */
export interface ProcessSpec {
  readonly pid: number;
  readonly comm: string;
  readonly mountNamespace: string;
  readonly netNamespace: string;
  /** Targets of its open files (`/dev/sda`, `/dev/dri/card0`, `socket:[123]`). */
  readonly files: readonly string[];
  /** Lines of fdinfo by file target (drm-pdev: …). */
  readonly fdinfo: Readonly<Record<string, string>>;
}

/** One mount. */
export interface MountSpec {
  readonly namespace: string;
  /** Block device or stacked name, or a source text such as `tmpfs`. */
  readonly source: string;
  readonly devno: string;
  readonly target: string;
  readonly fsType: string;
}

/** A whole machine. */
export interface MachineSpec {
  readonly name: string;
  readonly description: string;
  readonly profile: KernelProfile;
  /** `uname -r`; null: a typical one of the profile. */
  readonly release: string | null;
  readonly bootId: string;
  readonly cmdline: string;
  readonly iommu: {
    readonly kind: 'none' | 'intel' | 'amd';
    readonly units: readonly string[];
    readonly interruptRemapping: boolean;
    readonly unsafeInterruptsAllowed: boolean;
  };
  /** Kernel built with iommufd and VFIO device files. */
  readonly cdev: boolean;
  readonly noiommuMode: boolean;
  readonly devices: readonly DeviceSpec[];
  /** Members of groups on other buses. */
  readonly platformDevices: readonly {
    readonly name: string;
    readonly bus: string;
    readonly driver: string | null;
    readonly group: number;
  }[];
  readonly drivers: readonly DriverSpec[];
  readonly stacked: readonly StackedSpec[];
  readonly mounts: readonly MountSpec[];
  /** Block or stacked names in use as swap. */
  readonly swaps: readonly string[];
  /** Routes: destination CIDR (`0.0.0.0/0`, `::/0`) and interface. */
  readonly routes: readonly { readonly destination: string; readonly gateway: string | null; readonly iface: string }[];
  readonly processes: readonly ProcessSpec[];
  /** Namespace-free file system marks: /sys/fs/<type>/<name>. */
  readonly zfsPools: readonly { readonly name: string; readonly state: string }[];
  /** Consoles of /proc/consoles (`ttyS0`, `tty0`). */
  readonly consoles: readonly string[];
}
