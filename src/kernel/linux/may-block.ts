// Which calls cannot block in the kernel and are therefore made in process. The table lists what is known to be
// safe, each row with where in Linux that can be seen; whatever is not in it counts as blocking and goes to a lane.

/** The calls of KernelFs, as far as blocking is concerned. */
export type Operation = 'read' | 'list' | 'readLink' | 'readLinks' | 'exists' | 'write';

interface Row {
  readonly operations: readonly Operation[];
  readonly path: RegExp;
  /** What the kernel takes on this path, and where that is written. */
  readonly source: string;
}

const names: readonly Operation[] = ['list', 'readLink', 'readLinks', 'exists'];

// Hot rows first: an inventory asks this table thousands of times.
const rows: readonly Row[] = [
  {
    operations: ['read'],
    path: /^\/sys\/(?:bus\/pci\/devices|devices\/pci[^/]*(?:\/[^/]+)*)\/[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]\/(?:vendor|device|subsystem_vendor|subsystem_device|class|revision|numa_node|enable|boot_vga|resource|irq)$/,
    source:
      'drivers/pci/pci-sysfs.c: pci_config_attr, class_show, numa_node_show, enable_show (atomic_read), ' +
      'boot_vga_show, resource_show, irq_show: fields of struct pci_dev, no device_lock',
  },
  {
    operations: names,
    path: /^\/sys(?:\/(?:bus|class|devices|block|module|firmware|kernel\/iommu_groups|kernel\/mm)(?:\/.*)?|\/(?:fs|kernel))?$/,
    source:
      'fs/kernfs/{dir,symlink,inode}.c: kernfs_fop_readdir, kernfs_iop_get_link, kernfs_iop_getattr take ' +
      'kernfs_rwsem and kernfs_iattr_rwsem for the time of a tree walk, never a device lock',
  },
  {
    operations: names,
    path: /^\/sys\/fs\/(?:ext4|xfs|f2fs|btrfs|erofs|nilfs2|bcache|gfs2)(?:\/.*)?$/,
    source:
      'kernfs folders too; cgroup, bpf, fuse, selinux below /sys/fs are mounts of their own and are not listed',
  },
  {
    operations: ['read'],
    path: /^\/sys\/(?:class\/net|devices\/(?:.+\/)?net)\/[^/]+\/(?:flags|ifindex|operstate|type)$/,
    source:
      'net/core/net-sysfs.c: netdev_show reads under RCU (dev_base_lock before 6.9), no RTNL; carrier and speed do take RTNL',
  },
  {
    operations: ['read'],
    path: /^\/sys\/class\/block\/[^/]+\/(?:dev|size|partition|hidden|removable)$/,
    source:
      'drivers/base/core.c dev_show; block/genhd.c and block/partitions/core.c: fields of the disk, no queue lock',
  },
  {
    operations: ['list', 'readLink', 'readLinks'],
    path: /^\/proc(?:\/(?:[0-9]+|self)(?:\/(?:fd(?:\/[0-9]+)?|ns\/[a-z_]+|root))?)?$/,
    source:
      'fs/proc/{base,fd,namespaces}.c: proc_fd_link, proc_root_link, ns_get_name: task_lock and files->file_lock ' +
      '(spinlocks), ptrace_may_access without cred_guard_mutex',
  },
  {
    operations: ['read'],
    path: /^\/proc\/(?:[0-9]+\/comm|cmdline|version|sys\/kernel\/(?:osrelease|random\/boot_id)|1\/net\/(?:route|fib_trie|if_inet6))$/,
    source:
      'fs/proc/base.c comm_show (task_lock); fs/proc/cmdline.c; drivers/char/random.c proc_do_uuid (spinlock); ' +
      'net/ipv4/fib_trie.c fib_route_seq_ops and fib_trie_seq_ops, net/ipv6/addrconf.c if6_seq_ops: RCU',
  },
  {
    operations: ['read'],
    path: /^\/sys\/kernel\/uevent_seqnum$/,
    source: 'kernel/ksysfs.c uevent_seqnum_show: one counter, no lock',
  },
  {
    operations: names,
    path: /^\/(?:dev|run)(?:\/.*)?$/,
    source: 'mm/shmem.c: folders of tmpfs and devtmpfs, in memory; nothing is opened',
  },
  {
    operations: ['read'],
    path: /^\/run\/udev\/data\/[^/]+$/,
    source: 'mm/shmem.c: regular files of the udev database, in memory',
  },
];

// Deliberately absent, and so blocking: driver_override and uevent (device_lock before 6.12.91),
// sriov_numvfs (device_lock), config (may resume the device), reset_method, iommu_groups/N/{type,reserved_regions}
// (group->mutex), module parameters (param_lock), vtconsole bind (console_lock), dma in_use (dma_list_mutex),
// /proc/N/mountinfo (namespace_sem), /proc/N/fdinfo (asks the driver), /proc/swaps (swapon_mutex), every write.

/** False only for calls in the table of safe ones. `path` is canonical and has no `..` in it. */
export function mayBlock(operation: Operation, path: string): boolean {
  for (const row of rows) {
    if (row.operations.includes(operation) && row.path.test(path)) return false;
  }
  return true;
}
