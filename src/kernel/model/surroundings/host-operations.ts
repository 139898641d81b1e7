// What user space of the host does while the machine runs: mounts, swap, links, addresses, routes,
// namespaces, streams, processes. Each answers an errno or null (done); nothing here moves a PCI function.
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { ChildFacts } from '../objects/child-device.ts';
import { OpenFile } from '../objects/open-file.ts';
import { childEvent } from '../operations/events.ts';
import type { MountSpec, NetSpec, ProcessSpec } from '../spec.ts';
import { hostNamespace } from '../topology-defaults.ts';
import { blockOf, isBlockName } from './block-names.ts';
import { netOf } from './net-names.ts';

/** A mount to make; the device number is looked up where it is absent. */
export interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly fsType: string;
  readonly namespace?: string;
  readonly devno?: string;
}

/** Mounts. ENOENT: the source is a disk of the machine that does not exist now. */
export function mount(machine: Machine, request: MountRequest): Errno | null {
  const child = machine.children.get('block', request.source);
  if (child === undefined && isBlockName(machine, request.source)) return 'ENOENT';
  const made: MountSpec = {
    namespace: request.namespace ?? hostNamespace,
    source: request.source,
    devno: request.devno ?? (child === undefined ? null : blockOf(child)?.block.devno) ?? '0:60',
    target: request.target,
    fsType: request.fsType,
  };
  machine.host.mounts = [...machine.host.mounts, made];
  return null;
}

/** Takes away the last mount on a target. EINVAL: nothing is mounted there. */
export function unmount(machine: Machine, target: string, namespace = hostNamespace): Errno | null {
  const { mounts } = machine.host;
  const index = mounts.findLastIndex(
    (entry) => entry.target === target && entry.namespace === namespace,
  );
  if (index < 0) return 'EINVAL';
  machine.host.mounts = mounts.filter((_, at) => at !== index);
  return null;
}

/** swapon(2). ENOENT: no such block device; EBUSY: already in use. */
export function swapOn(machine: Machine, name: string): Errno | null {
  if (machine.children.get('block', name) === undefined) return 'ENOENT';
  if (machine.host.swaps.includes(name)) return 'EBUSY';
  machine.host.swaps = [...machine.host.swaps, name];
  return null;
}

/** swapoff(2). EINVAL: not in use. */
export function swapOff(machine: Machine, name: string): Errno | null {
  if (!machine.host.swaps.includes(name)) return 'EINVAL';
  machine.host.swaps = machine.host.swaps.filter((swap) => swap !== name);
  return null;
}

/** What can be changed on an interface. */
export type LinkChange = Partial<
  Pick<NetSpec, 'up' | 'carrier' | 'addresses' | 'master' | 'uppers' | 'namespace'>
>;

/**
 * Changes an interface. ENODEV: there is none of that name; ENOENT: no interface for `master` or an upper.
 * Moving it to another namespace makes it go down and takes its addresses, as dev_change_net_namespace does.
 */
export function changeLink(machine: Machine, name: string, change: LinkChange): Errno | null {
  const child = machine.children.get('net', name);
  const now = child === undefined ? null : netOf(child);
  if (child === undefined || now === null) return 'ENODEV';
  const named = [...(change.uppers ?? []), ...(change.master ? [change.master] : [])];
  if (named.some((other) => machine.children.get('net', other) === undefined)) return 'ENOENT';
  const moves = change.namespace !== undefined && change.namespace !== now.net.namespace;
  // To those who watch, an interface that leaves the namespace is removed; one that comes is added.
  if (moves && now.net.namespace === null) childEvent(machine, child, 'remove');
  const bare = moves ? { up: false, carrier: false, addresses: [], master: null, uppers: [] } : {};
  child.facts = { kind: 'net', ifindex: now.ifindex, net: { ...now.net, ...bare, ...change } };
  if (moves && change.namespace === null) childEvent(machine, child, 'add');
  return null;
}

/** Adds a route. ENODEV: no such interface; EEXIST: it is there. */
export function addRoute(machine: Machine, route: Machine['host']['routes'][number]): Errno | null {
  if (machine.children.get('net', route.iface) === undefined) return 'ENODEV';
  const same = machine.host.routes.some(
    (one) => one.destination === route.destination && one.iface === route.iface,
  );
  if (same) return 'EEXIST';
  machine.host.routes = [...machine.host.routes, route];
  return null;
}

/** Takes a route away. ESRCH: there is none. */
export function removeRoute(machine: Machine, destination: string, iface: string): Errno | null {
  const left = machine.host.routes.filter(
    (route) => route.destination !== destination || route.iface !== iface,
  );
  if (left.length === machine.host.routes.length) return 'ESRCH';
  machine.host.routes = left;
  return null;
}

/** Opens PCM streams of a sound card; an empty list closes all. ENODEV: no such card. */
export function playSound(machine: Machine, card: number, open: readonly string[]): Errno | null {
  return changeFacts(machine, 'sound', `card${card}`, { kind: 'sound', card, open });
}

/** Starts or stops a watchdog. ENODEV: there is none of that name. */
export function setWatchdog(
  machine: Machine,
  name: string,
  state: 'active' | 'inactive',
): Errno | null {
  return changeFacts(machine, 'watchdog', name, { kind: 'watchdog', state });
}

/** Plugs a display in or out. ENODEV: no such connector. */
export function setConnector(machine: Machine, name: string, status: string): Errno | null {
  return changeFacts(machine, 'drm', name, { kind: 'connector', status });
}

function changeFacts(
  machine: Machine,
  subsystem: string,
  name: string,
  facts: ChildFacts,
): Errno | null {
  const child = machine.children.get(subsystem, name);
  if (child === undefined || child.facts.kind !== facts.kind) return 'ENODEV';
  child.facts = facts;
  return null;
}

/** Starts a process under its own number, its files open. EEXIST: the number is taken. */
export function startProcess(machine: Machine, spec: ProcessSpec): Errno | null {
  if (machine.processes.get(spec.pid) !== undefined) return 'EEXIST';
  const process = machine.processes.spawn(spec.comm, spec);
  for (const target of spec.files) process.install(new OpenFile({ kind: 'other' }, target, null));
  return null;
}

/** A process opens a file that is shown in its `fd` folder and means nothing more. ESRCH: no such process. */
export function showOpenFile(machine: Machine, pid: number, target: string): Errno | null {
  const process = machine.processes.get(pid);
  if (process === undefined) return 'ESRCH';
  process.install(new OpenFile({ kind: 'other' }, target, null));
  return null;
}

/** Closes every file of a process with that target. ESRCH: no such process; EBADF: it has none open. */
export function closeOpenFile(machine: Machine, pid: number, target: string): Errno | null {
  const process = machine.processes.get(pid);
  if (process === undefined) return 'ESRCH';
  const fds = [...process.files].filter(([, file]) => file.target === target);
  for (const [fd, file] of fds) {
    process.files.delete(fd);
    file.put();
  }
  return fds.length === 0 ? 'EBADF' : null;
}
