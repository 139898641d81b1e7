// Machines that a guest can be, as data: what QEMU plugs in, what the kernel is told, which modules are loaded.
import { agentModules, transcriptModules } from './modules.ts';

/** A machine. `{disk:NAME}` in an argument stands for the path of a disk image: the run's own, or an empty one. */
export interface Shape {
  readonly name: string;
  readonly qemu: 'qemu' | 'recorder';
  readonly devices: readonly string[];
  /** Further arguments for QEMU. */
  readonly options: readonly string[];
  /** Words for the kernel's command line, beside those that every guest gets. */
  readonly cmdline: readonly string[];
  readonly modules: readonly string[];
  readonly memoryMiB: number;
  /** One unless said. */
  readonly processors?: number;
  /** Node.js, the bundled agent and the block tools are inside. */
  readonly withNode: boolean;
}

const disk = (name: string): string => `if=none,id=${name},format=raw,file={disk:${name}}`;

/** The machine on which the recorded transcripts were taken: see test/play/machine.ts. */
const transcripts: Shape = {
  name: 'transcripts',
  qemu: 'recorder',
  devices: [
    'intel-iommu,intremap=on,caching-mode=on',
    'e1000,id=n0,addr=5.0,multifunction=on,mac=52:54:00:12:34:56',
    'e1000,id=n1,addr=5.1,mac=52:54:00:12:34:57',
    'nvme,id=nv0,addr=6.0,serial=a,drive=d0',
    'pcie-root-port,id=rp0,addr=7.0,chassis=1,slot=1,disable-acs=on',
    'e1000e,id=n3,bus=rp0,mac=52:54:00:12:34:5a',
    'pcie-pci-bridge,id=pb0,addr=8.0',
    'e1000,id=n2,bus=pb0,addr=1.0,mac=52:54:00:12:34:58',
    'pcie-root-port,id=rp1,addr=9.0,chassis=2,slot=2,disable-acs=on',
    'pcie-root-port,id=rp2,addr=a.0,chassis=3,slot=3',
    'nvme-subsys,id=ss0',
    'nvme,id=nv1,bus=rp2,serial=b,subsys=ss0,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2,max_ioqpairs=6,msix_qsize=5',
  ],
  options: ['-drive', disk('d0')],
  cmdline: ['intel_iommu=on'],
  modules: transcriptModules,
  memoryMiB: 1024,
  withNode: false,
};

/** The same without ACPI hot-plug of bridges: shpchp takes 0000:00:08.0. */
const transcriptsShpc: Shape = {
  ...transcripts,
  name: 'transcripts-shpc',
  options: [
    ...transcripts.options,
    ...['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'],
  ],
};

/** A machine for the agent: groups of every form, and something in use. */
const agent: Shape = {
  name: 'agent',
  qemu: 'qemu',
  devices: [
    'intel-iommu,intremap=on,device-iotlb=on',
    'pcie-root-port,id=rp1,addr=3.0,chassis=1,slot=1',
    'nvme,id=nv0,bus=rp1,serial=a,drive=d0',
    'pcie-root-port,id=rp2,addr=4.0,chassis=2,slot=2,disable-acs=on',
    'e1000e,id=mgmt,bus=rp2,netdev=u0,mac=52:54:00:00:00:10',
    'pcie-root-port,id=rp3,addr=5.0,chassis=3,slot=3',
    'e1000e,id=free,bus=rp3,mac=52:54:00:00:00:11',
    'pcie-root-port,id=rp4,addr=6.0,chassis=4,slot=4',
    'e1000e,id=dual0,bus=rp4,addr=0.0,multifunction=on,mac=52:54:00:00:00:12',
    'e1000e,id=dual1,bus=rp4,addr=0.1,mac=52:54:00:00:00:13',
    'pcie-root-port,id=rp5,addr=7.0,chassis=5,slot=5',
    'pcie-pci-bridge,id=pb0,bus=rp5',
    'e1000,id=old0,bus=pb0,addr=1.0,mac=52:54:00:00:00:14',
    'rtl8139,id=old1,bus=pb0,addr=2.0,mac=52:54:00:00:00:15',
    'pcie-root-port,id=rp6,addr=8.0,chassis=6,slot=6',
    'igb,id=sriov,bus=rp6,mac=52:54:00:00:00:20',
    'pcie-root-port,id=rp7,addr=9.0,chassis=7,slot=7',
    'virtio-blk-pci,id=vb,bus=rp7,drive=d1,iommu_platform=on,disable-legacy=on,ats=on',
    'pcie-root-port,id=rp8,addr=a.0,chassis=8,slot=8',
    'virtio-net-pci,id=vn,bus=rp8,iommu_platform=on,disable-legacy=on,ats=on,mac=52:54:00:00:00:30',
    'pcie-root-port,id=rp9,addr=b.0,chassis=9,slot=9',
    'qemu-xhci,id=xhci,bus=rp9',
    'pcie-root-port,id=rpa,addr=c.0,chassis=10,slot=10',
    'nvme,id=nv1,bus=rpa,serial=b,drive=d2',
    'VGA,id=gpu,addr=2.0',
  ],
  options: [
    ...['-netdev', 'user,id=u0,restrict=on', '-drive', disk('d0'), '-drive', disk('d1')],
    ...['-drive', disk('d2'), '-drive', disk('d3')],
  ],
  cmdline: ['intel_iommu=on'],
  modules: agentModules,
  memoryMiB: 1536,
  withNode: true,
};

/** The same with a device before all others: every group behind it has another number. */
const renumbered: Shape = {
  ...agent,
  name: 'agent-renumbered',
  devices: [...agent.devices, 'pci-testdev,addr=1.0'],
};

/** A node of a Kubernetes: the same with a disk that it lives on and a network card that its cluster is behind. */
const node: Shape = {
  ...agent,
  name: 'node',
  devices: [
    ...agent.devices,
    'pcie-root-port,id=rpd,addr=d.0,chassis=11,slot=11',
    'virtio-net-pci,id=cluster,bus=rpd,netdev=u1,mac=52:54:00:00:00:77,romfile=',
    'pcie-root-port,id=rpe,addr=e.0,chassis=12,slot=12',
    'virtio-blk-pci,id=root,bus=rpe,drive=root',
  ],
  options: [
    ...agent.options,
    ...['-netdev', 'tap,id=u1,ifname=wg-n1,script=no,downscript=no'],
    ...['-drive', `${disk('root')},cache=unsafe`],
  ],
  cmdline: [
    ...[...agent.cmdline, 'cgroup_no_v1=all'],
    // What costs an emulated machine much and is not what is judged.
    ...['transparent_hugepage=never', 'init_on_alloc=0', 'damon_stat.enabled=N', 'audit=0'],
    ...['randomize_kstack_offset=off', 'psi=0'],
    // Programs in Go ask for timers of 20 µs all the time; each costs hundreds here. One tick for all is enough.
    ...['highres=off', 'nohz=off'],
  ],
  memoryMiB: 2048,
  processors: 2,
  withNode: false,
};

/** That node after somebody has plugged in a card. */
const nodeRenumbered: Shape = {
  ...node,
  name: 'node-renumbered',
  devices: [...node.devices, 'pci-testdev,addr=1.0'],
};

/** Interrupts are not remapped: VFIO lets nobody in. */
const noInterruptRemapping: Shape = {
  ...agent,
  name: 'no-interrupt-remapping',
  devices: ['intel-iommu,intremap=off,device-iotlb=on', ...agent.devices.slice(1)],
};

/** No IOMMU at all. */
const noIommu: Shape = {
  ...agent,
  name: 'no-iommu',
  devices: agent.devices.slice(1).map((each) => each.replace(',iommu_platform=on', '')),
  cmdline: [],
};

/** The machines, by name. */
export const shapes = {
  transcripts,
  'transcripts-shpc': transcriptsShpc,
  agent,
  'agent-renumbered': renumbered,
  node,
  'node-renumbered': nodeRenumbered,
  'no-interrupt-remapping': noInterruptRemapping,
  'no-iommu': noIommu,
} as const;
