// A simulated machine as data: what a topology file or an exported dump becomes, and all that the model
// is built from. Only facts of the machine at boot; what happens later (claims, hot-plug, mounts) is done to
// the running model. topology.ts parses and validates files into this.
import type { PciAddress } from '../../pci/address.ts';
import type { ChildrenSpec, StackedSpec, VirtualNetSpec } from './spec-children.ts';

export type {
  BlockSpec,
  ChildrenSpec,
  NetSpec,
  StackedSpec,
  UsbSpec,
  VirtualNetSpec,
} from './spec-children.ts';

/** Which Linux the model answers as. `legacy` stands for kernels without DMA ownership accounting (5.10). */
export type KernelProfile = 'legacy' | '6.1' | '6.12' | '7.2';

/** A VF that exists at boot and differs from what the PF's defaults would give. */
export interface VfSpec {
  /** Driver that is bound when it is not `vfDriver`: a name, or `none`. */
  readonly bound: string | null;
  readonly override: string | null;
  readonly group: number | null;
  readonly children: ChildrenSpec;
}

/** One PCI function of the machine. VFs are no devices of their own here: `sriov` of the PF makes them. */
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
  /**
   * Bit 7 of the header type; absent: as `multifunction`. Functions above 0 need not have it: at boot Linux sees
   * them as one slot anyway, but one that is found again alone is grouped without its siblings.
   */
  readonly headerMultifunction?: boolean;
  /** Port or function has ACS source validation and redirection. */
  readonly acs: boolean;
  /** A PCIe-to-PCI bridge: everything below it has its requester id. */
  readonly conventionalBelow: boolean;
  /** Group number at boot; null: computed by the kernel's algorithm. */
  readonly group: number | null;
  /** Native driver that matches this device (bound at boot when loaded); null: none exists. */
  readonly nativeDriver: string | null;
  /** Driver that is bound at boot when it is not the native one (`vfio-pci`), or the word `none`; null: the native one. */
  readonly bound: string | null;
  /** driver_override at the moment the machine is taken up; null: unset. */
  readonly override: string | null;
  /** The function whose requester id the DMA carries (pci_real_dma_dev: children of a VMD); null: its own. */
  readonly realDmaDevice: PciAddress | null;
  /** Functions of the same bus whose requester ids this one uses as well (pci_add_dma_alias quirks). */
  readonly dmaAliases: readonly PciAddress[];
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
    /** VFs that exist at boot, in order; a VF beyond the list is a plain one. */
    readonly vfs: readonly VfSpec[];
  } | null;
  /** Lines of the group's reserved_regions that this device brings, without the MSI window that every group has. */
  readonly reservedRegions: readonly string[];
  /** Published peer-to-peer memory: size and available bytes. */
  readonly p2pmem: {
    readonly size: number;
    readonly available: number;
    readonly published: boolean;
  } | null;
  /** Configuration space answers all ones. */
  readonly dead: boolean;
  /** ACPI node that stands for the slot (`/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A08:00/device:02`), when known. */
  readonly firmwareNode?: string | null;
  /** Further attribute files with their text, without the newline (`current_link_speed`: "16.0 GT/s PCIe"). */
  readonly attributes: Readonly<Record<string, string>>;
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
    /** Type of the default domains at boot; absent: identity with iommu=pt on the command line, else DMA-FQ. */
    readonly domainType?: 'DMA' | 'DMA-FQ' | 'identity';
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
  /** Modules that are loaded besides those of the drivers, with their reference counts (`nvme_rdma`). */
  readonly modules: readonly { readonly name: string; readonly refs: number }[];
  readonly stacked: readonly StackedSpec[];
  /** Bonds, bridges, VLANs and the like; `lo` is always there. */
  readonly virtualNets: readonly VirtualNetSpec[];
  /** Block or stacked names that a storage target exports (LIO: /sys/kernel/config/target, nvmet: …/nvmet). */
  readonly storageTargets: readonly { readonly kind: 'lio' | 'nvmet'; readonly device: string }[];
  readonly mounts: readonly MountSpec[];
  /** Block or stacked names in use as swap. */
  readonly swaps: readonly string[];
  /** Routes: destination CIDR (`0.0.0.0/0`, `::/0`) and interface. */
  readonly routes: readonly {
    readonly destination: string;
    readonly gateway: string | null;
    readonly iface: string;
  }[];
  readonly processes: readonly ProcessSpec[];
  /** Namespace-free file system marks: /sys/fs/<type>/<name>. */
  readonly zfsPools: readonly { readonly name: string; readonly state: string }[];
  /** Consoles of /proc/consoles (`ttyS0`, `tty0`). */
  readonly consoles: readonly string[];
}
