// What the disk of a node holds besides its images: the programs of a Linux and of Kubernetes, and their configuration.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  addressOf,
  containerdToml,
  hubAddress,
  kubeletConfiguration,
  networkPlugins,
} from '../cluster/harness/node-files.ts';
import type { NodePrograms } from '../cluster/harness/node.ts';
import { busyboxNames } from '../cluster/harness/test-image.ts';
import type { Entry } from '../kernel/rig/cpio.ts';
import { textFile, toolFiles } from '../kernel/rig/initramfs.ts';
import type { Rig } from '../kernel/rig/rig.ts';

/** Name of the node, and the number of its address. */
export const nodeName = 'n1';
export const nodeIndex = 1;
/** Where the node has the authority of its API server, and its kubelet's access to it. */
export const nodeFiles = {
  authority: '/etc/kubernetes/ca.crt',
  kubeconfig: '/etc/kubernetes/kubelet.conf',
} as const;

const tools = ['mount', 'umount', 'mke2fs', 'mkswap', 'setpriv', 'nsenter'];
const executable = 0o755;
const guestFolder = join(import.meta.dirname, 'guest');
const folders = [
  ...['proc', 'sys', 'dev', 'run', 'tmp', 'mnt', 'root', 'etc/cdi', 'etc/kubernetes/manifests'],
  ...['var/log', 'var/lib/kubelet', 'var/lib/containerd'],
];

function copyOf(path: string, from: string): Entry {
  return { kind: 'copy', path, mode: executable, from };
}

/** Every applet of busybox that no tool stands for. */
function busyboxFiles(rig: Rig): readonly Entry[] {
  const busybox = join(rig.qemu, 'usr/bin/busybox');
  const names = busyboxNames(busybox).filter((name) => !tools.includes(name));
  return [
    copyOf('bin/busybox', busybox),
    ...names.map((name): Entry => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' })),
  ];
}

function kubernetesFiles({ kubernetes, containerd, runc, cni }: NodePrograms): readonly Entry[] {
  return [
    copyOf('usr/bin/kubelet', join(kubernetes, 'kubernetes')),
    ...['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) =>
      copyOf(`usr/bin/${name}`, join(containerd, name)),
    ),
    copyOf('usr/bin/runc', join(runc, 'runc')),
    ...['ptp', 'loopback', 'host-local'].map((name) => copyOf(`opt/cni/${name}`, join(cni, name))),
  ];
}

/** The kubelet of a guest: it looks at itself less often than one on a machine, for each look costs seconds. */
const kubeletFields = {
  nodeStatusUpdateFrequency: '2s',
  evictionHard: { 'memory.available': '50Mi' },
  localStorageCapacityIsolation: false,
};

function configuration(): readonly Entry[] {
  const place = { name: nodeName, index: nodeIndex, cni: '/opt/cni', runc: '/usr/bin/runc' };
  return [
    textFile('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
    textFile('etc/group', 'root:x:0:\n'),
    textFile('etc/hostname', nodeName),
    textFile('etc/hosts', `127.0.0.1 localhost\n${addressOf(nodeIndex)} ${nodeName}\n`),
    textFile('etc/resolv.conf', ''),
    textFile('etc/machine-id', '00000000000000000000000000000077\n'),
    textFile('etc/os-release', 'ID=guest\nPRETTY_NAME="guest of wholegroup"\n'),
    textFile('etc/node/address', `${addressOf(nodeIndex)}/24`),
    textFile('etc/node/gateway', hubAddress),
    textFile('etc/containerd.toml', containerdToml(place)),
    textFile('etc/cni/net.d/10-pods.conflist', networkPlugins(place)),
    textFile('etc/kubelet.json', kubeletConfiguration(nodeFiles.authority, kubeletFields)),
    { kind: 'link', path: 'var/run', target: '/run' },
    { kind: 'link', path: 'etc/mtab', target: '/proc/mounts' },
  ];
}

const guestFiles: readonly Entry[] = [
  copyOf('sbin/init', join(guestFolder, 'init')),
  copyOf('usr/lib/node/channel', join(guestFolder, 'channel')),
  copyOf('usr/bin/node-program', join(guestFolder, 'node-program')),
  copyOf('usr/bin/bindings', join(guestFolder, 'bindings')),
];

/** All files of the disk, without images. */
export function rootFiles(rig: Rig, programs: NodePrograms): readonly Entry[] {
  return [
    ...folders.map((path): Entry => ({ kind: 'folder', path })),
    ...toolFiles(rig, tools),
    ...busyboxFiles(rig),
    ...kubernetesFiles(programs),
    copyOf('usr/bin/vfio-user', join(rig.programs, 'vfio-user')),
    ...configuration(),
    ...guestFiles,
  ];
}

function place(entry: Exclude<Entry, { kind: 'folder' }>, path: string): void {
  switch (entry.kind) {
    case 'link':
      symlinkSync(entry.target, path);
      return;
    case 'file':
      writeFileSync(path, entry.content, { mode: entry.mode });
      return;
    case 'copy':
      copyFileSync(entry.from, path);
      chmodSync(path, entry.mode);
  }
}

/** Writes files below a folder. */
export function placeFiles(entries: readonly Entry[], folder: string): void {
  for (const entry of entries) {
    const path = join(folder, entry.path);
    mkdirSync(entry.kind === 'folder' ? path : dirname(path), { recursive: true });
    if (entry.kind !== 'folder') place(entry, path);
  }
}

/** Everything that decides what those files are, as text. */
export function rootVersion(rig: Rig, programs: NodePrograms): string {
  const own = guestFiles.map((entry) =>
    entry.kind === 'copy' ? readFileSync(entry.from, 'utf8') : '',
  );
  const set = configuration().map((entry) =>
    entry.kind === 'file' ? entry.content.toString() : '',
  );
  const made = [rig.qemu, rig.tools, rig.programs, ...Object.values(programs)];
  return [...made, ...own, ...set, ...tools].join('\n');
}
