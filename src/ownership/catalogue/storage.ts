// Uses of block storage by the host. Entries of the blocker catalogue.
import type { HostUseKind } from '../use.ts';
import type { BlockerEntry } from './entry.ts';

/** Uses of block storage by the host. */
export const storageBlockers = {
  RootDisk: {
    says: 'carries the file systems this node runs from ({})',
    remedy: 'Never released. Leave this device out of the policy.',
    waivable: false,
  },
  FilesystemMounted: {
    says: 'has a mounted file system ({})',
    remedy: 'Unmount it in every mount namespace; pods that use it have to go first.',
    waivable: true,
  },
  SwapActive: {
    says: 'is used as swap ({})',
    remedy: 'Run swapoff for it and take it out of /etc/fstab.',
    waivable: true,
  },
  VolumeGroupActive: {
    says: 'carries active logical volumes ({})',
    remedy: 'Deactivate the volume group (vgchange -an) once nothing uses its volumes.',
    waivable: true,
  },
  RaidArrayActive: {
    says: 'is part of a running RAID array ({})',
    remedy: 'Stop the array (mdadm --stop) or remove this disk from it.',
    waivable: true,
  },
  DeviceMapperActive: {
    says: 'has device-mapper devices on it ({})',
    remedy: 'Close the mapping (cryptsetup close, multipath -f or dmsetup remove).',
    waivable: true,
  },
  ZfsPoolMember: {
    says: 'belongs to an imported ZFS pool ({})',
    remedy: 'Export the pool (zpool export).',
    waivable: true,
  },
  BcacheActive: {
    says: 'is part of a running bcache ({})',
    remedy: 'Stop the bcache device.',
    waivable: true,
  },
  LoopBacking: {
    says: 'backs a loop device ({})',
    remedy: 'Detach it (losetup -d).',
    waivable: true,
  },
  BlockDeviceOpen: {
    says: 'has its block device open in a process ({})',
    remedy: 'Stop the process that holds it (a database, ceph-osd, a virtual machine).',
    waivable: true,
  },
  NvmeMultipathShared: {
    says: 'is one path of a multipath NVMe subsystem in use ({})',
    remedy: 'Stop using the namespaces of that subsystem.',
    waivable: true,
  },
  StorageTargetExport: {
    says: 'is exported as a storage target ({})',
    remedy: 'Remove the export from LIO or nvmet.',
    waivable: true,
  },
} as const satisfies Partial<Record<HostUseKind, BlockerEntry>>;
