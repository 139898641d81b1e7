// What a survey of the machine yields, as data: processes with their open device files, mounts, block devices.
// Each table says what it may have missed.
import type { Unknown } from '../../base/known.ts';
import type { PciFunction } from '../../pci/function.ts';

/** A process that has a file open. */
export interface Opener {
  readonly pid: number;
  readonly fd: string;
}

/** What the walk found. */
export interface ProcessTable {
  /** Process ids that were there. */
  readonly pids: readonly number[];
  /** Openers by the text of the descriptor's link (`/dev/sdb`, `anon_inode:[vfio-device]`), without " (deleted)". */
  readonly openers: ReadonlyMap<string, readonly Opener[]>;
  /** Why the walk may have missed something; empty: it saw everything there is. */
  readonly problems: readonly Unknown[];
}

/** One line of a mountinfo file. */
export interface Mount {
  /** major:minor of the file system: of its block device, where it has exactly one. */
  readonly devno: string;
  /** The part of the file system that is mounted. */
  readonly root: string;
  readonly target: string;
  readonly fsType: string;
  readonly source: string;
  /** The file the line is from. */
  readonly path: string;
  /** In pid 1's mount namespace. */
  readonly host: boolean;
}

/** All mounts, and why some may be missing. */
export interface MountTable {
  readonly mounts: readonly Mount[];
  readonly problems: readonly Unknown[];
}

/** One block device: a disk, a partition, or a virtual one. */
export interface BlockDevice {
  /** Kernel name (`nvme0n1p2`, `dm-0`), with "!" for "/" as sysfs has it. */
  readonly name: string;
  readonly path: string;
  /** major:minor; null for hidden path devices, which cannot be opened. */
  readonly devno: string | null;
  /** Devices that hold this one (`holders/`). */
  readonly holders: readonly string[];
  /** Device-mapper name and uuid; null for other devices. */
  readonly dmName: string | null;
  readonly dmUuid: string | null;
  /** What a loop device stands for; null for other devices and unused loop devices. */
  readonly backingFile: string | null;
  /** Names in its sysfs folder. */
  readonly entries: ReadonlySet<string>;
  /** Functions in question that it hangs on, directly or through the layers below. */
  readonly targets: readonly PciFunction[];
}

/** All block devices. */
export interface BlockTable {
  readonly devices: ReadonlyMap<string, BlockDevice>;
  /** Those that a function in question stands under, in order of name. */
  readonly concerned: readonly BlockDevice[];
  /** What could not be read, and the functions it may concern. */
  readonly problems: readonly {
    readonly targets: readonly PciFunction[];
    readonly problem: Unknown;
  }[];
}
