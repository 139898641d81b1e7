// /proc/PID of every process: who it is, what it has open, in which namespaces it lives (fs/proc/base.c).
import type { Machine } from '../machine.ts';
import type { OpenFile } from '../objects/open-file.ts';
import type { Process } from '../objects/process.ts';
import { dir, listing, textFile } from '../tree.ts';
import type { VDir, VLink, VNode } from '../vfs.ts';
import { hostNamespace } from '../topology-defaults.ts';
import { namespaceKinds, type NamespaceNumbers } from './namespaces.ts';
import type { MountTables } from './proc-mounts.ts';

/** What process folders are made with. */
export interface ProcessFiles {
  readonly machine: Machine;
  readonly numbers: NamespaceNumbers;
  readonly mounts: MountTables;
  /** The `net` folder of a network namespace. */
  net(namespace: string): VNode;
}

const mountNamespaceOf = (process: Process): string =>
  process.spec?.mountNamespace ?? hostNamespace;
const netNamespaceOf = (process: Process): string => process.spec?.netNamespace ?? hostNamespace;

/** A link whose text is all there is: what /proc shows need not exist as a path. */
function textLink(target: string): VLink {
  return { kind: 'link', target };
}

/** Names of states as `status` has them. */
const stateNames = { R: 'R (running)', S: 'S (sleeping)', D: 'D (disk sleep)' } as const;

function statusText(process: Process): string {
  const lines = [
    `Name:\t${process.comm}`,
    ...['Umask:\t0022', `State:\t${stateNames[process.state]}`],
    ...[`Tgid:\t${process.pid}`, 'Ngid:\t0', `Pid:\t${process.pid}`],
    ...[`PPid:\t${process.pid === 1 ? 0 : 1}`, 'TracerPid:\t0'],
    ...['Uid:\t0\t0\t0\t0', 'Gid:\t0\t0\t0\t0', `FDSize:\t${Math.max(64, process.files.size)}`],
    ...['Threads:\t1', 'CapEff:\t000001ffffffffff', 'Seccomp:\t0'],
  ];
  return `${lines.join('\n')}\n`;
}

/** 52 fields; those after the state that nobody of us reads are zero. */
function statText(process: Process): string {
  const zeroes = Array.from({ length: 47 }, () => '0').join(' ');
  const parent = process.pid === 1 ? 0 : 1;
  return `${process.pid} (${process.comm}) ${process.state} ${parent} ${process.pid} ${zeroes}\n`;
}

function cgroupText(process: Process): string {
  if (process.pid === 1) return '0::/init.scope\n';
  const namespace = mountNamespaceOf(process);
  if (namespace === hostNamespace) return `0::/system.slice/${process.comm}.service\n`;
  return `0::/kubepods.slice/kubepods-pod${namespace.replaceAll('-', '_')}.slice\n`;
}

/** fdinfo: the common lines (fs/proc/fd.c seq_show), those of VFIO (7.2), and what the topology gives. */
function fdinfoText(machine: Machine, process: Process, file: OpenFile): string {
  const common = 'pos:\t0\nflags:\t02100002\nmnt_id:\t16\nino:\t1041\n';
  const { what } = file;
  const syspath =
    what.kind === 'device' && machine.profile.vfioFdinfo
      ? `vfio-device-syspath: ${what.device.pci.path}\n`
      : '';
  const own = process.spec?.fdinfo[file.target];
  return `${common}${syspath}${own === undefined ? '' : `${own}\n`}`;
}

function descriptors(process: Process, node: (file: OpenFile) => VNode): VDir {
  return listing(
    () => [...process.files.keys()].map(String),
    (name) => {
      const file = /^\d+$/.test(name) ? process.files.get(Number(name)) : undefined;
      return file === undefined ? null : node(file);
    },
  );
}

function namespaceLinks(files: ProcessFiles, process: Process): VDir {
  const name = (kind: string): string => {
    if (kind === 'mnt') return mountNamespaceOf(process);
    return kind === 'net' ? netNamespaceOf(process) : hostNamespace;
  };
  return listing(
    () => namespaceKinds,
    (kind) =>
      namespaceKinds.includes(kind) ? textLink(files.numbers.text(kind, name(kind))) : null,
  );
}

/** The folder of one process. */
function processFolder(files: ProcessFiles, process: Process): VDir {
  const { machine, mounts } = files;
  const text = (make: () => string): VNode => textFile(make);
  return dir({
    cgroup: () => text(() => cgroupText(process)),
    cmdline: () => text(() => `/usr/bin/${process.comm}\0`),
    comm: () => text(() => `${process.comm}\n`),
    fd: () => descriptors(process, (file) => textLink(file.target)),
    fdinfo: () =>
      descriptors(process, (file) => textFile(() => fdinfoText(machine, process, file))),
    mountinfo: () => text(() => mounts.mountinfo(mountNamespaceOf(process))),
    mounts: () => text(() => mounts.mounts(mountNamespaceOf(process))),
    net: () => files.net(netNamespaceOf(process)),
    ns: () => namespaceLinks(files, process),
    root: () => textLink('/'),
    stat: () => text(() => statText(process)),
    status: () => text(() => statusText(process)),
  });
}

/** All process folders. */
export function processFolders(files: ProcessFiles): VDir {
  const { processes } = files.machine;
  return listing(
    () => [...processes.all()].map((process) => String(process.pid)),
    (name) => {
      const process = /^[1-9]\d*$/.test(name) ? processes.get(Number(name)) : undefined;
      return process === undefined ? null : processFolder(files, process);
    },
  );
}
