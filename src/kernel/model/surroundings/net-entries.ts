// Files in the folder of a network interface (net/core/net-sysfs.c), and its links to interfaces above and below.
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { VirtualNetSpec } from '../spec.ts';
import { dir, listing } from '../tree.ts';
import type { VDir, VNode } from '../vfs.ts';
import { attribute, attributeOr, attributes, linkTo } from './files.ts';
import { netOf, netsIn, type NetNow } from './net-names.ts';

const iff = {
  up: 0x1,
  broadcast: 0x2,
  loopback: 0x8,
  master: 0x400,
  slave: 0x800,
  multicast: 0x1000,
};

function typeOf(machine: Machine, name: string): string | null {
  const spec: VirtualNetSpec | undefined = machine.spec.virtualNets.find(
    (net) => net.name === name,
  );
  return spec?.type ?? null;
}

/** dev->flags, as `flags` shows them. */
function flagsOf(machine: Machine, { net }: NetNow): number {
  const up = net.up ? iff.up : 0;
  if (net.name === 'lo') return up | iff.loopback;
  const bond = typeOf(machine, net.name) === 'bond' ? iff.master : 0;
  const port = net.master !== null && typeOf(machine, net.master) === 'bond' ? iff.slave : 0;
  return up | iff.broadcast | iff.multicast | bond | port;
}

/** RFC 2863 states: lo has none. */
function operstateOf({ net }: NetNow): string {
  if (net.name === 'lo') return 'unknown';
  return net.up && net.carrier ? 'up' : 'down';
}

type Value = string | number | { readonly errno: Errno };

/** What can only be asked while the interface is up. */
function whileUp({ net }: NetNow, value: string | number): Value {
  return net.up ? value : { errno: 'EINVAL' };
}

const isLo = ({ net }: NetNow): boolean => net.name === 'lo';

/** Attributes by name. One table for all interfaces: a look makes nothing but the file that is asked for. */
const attributeValues: Readonly<Record<string, (now: NetNow, machine: Machine) => Value>> = {
  address: ({ net }) => net.mac,
  carrier: (now) => whileUp(now, now.net.carrier ? 1 : 0),
  duplex: (now) => whileUp(now, now.net.carrier ? 'full' : 'unknown'),
  flags: (now, machine) => `0x${flagsOf(machine, now).toString(16)}`,
  ifindex: ({ ifindex }) => ifindex,
  iflink: ({ ifindex }) => ifindex,
  operstate: operstateOf,
  speed: (now) => whileUp(now, now.net.carrier ? 10_000 : -1),
  addr_assign_type: () => 0,
  addr_len: () => 6,
  broadcast: (now) => (isLo(now) ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'),
  dev_id: () => '0x0',
  dev_port: () => 0,
  dormant: () => 0,
  mtu: (now) => (isLo(now) ? 65_536 : 1500),
  name_assign_type: () => 4,
  netdev_group: () => 0,
  tx_queue_len: () => 1000,
  type: (now) => (isLo(now) ? 772 : 1),
};

const statistics = dir(attributes({ rx_bytes: 0, rx_packets: 0, tx_bytes: 0, tx_packets: 0 }));

function values(machine: Machine, child: ChildDevice): VDir {
  return listing(
    () => [...Object.keys(attributeValues), 'statistics'],
    (name) => {
      if (name === 'statistics') return statistics;
      if (!Object.hasOwn(attributeValues, name)) return null;
      // The facts are asked when the file is read: the interface may go up or down before.
      return attributeOr(() => {
        const now = netOf(child);
        return now === null ? { errno: 'ENODEV' } : (attributeValues[name]?.(now, machine) ?? '');
      });
    },
  );
}

/** Names of interfaces directly above (`upper_…`) and below (`lower_…`). */
function neighbours(machine: Machine, { net }: NetNow): ReadonlyMap<string, string> {
  const links = new Map<string, string>();
  const uppers = new Set([...net.uppers, ...(net.master === null ? [] : [net.master])]);
  for (const upper of uppers) links.set(`upper_${upper}`, upper);
  if (net.master !== null) links.set('master', net.master);
  // Only interfaces without hardware are stacked on others.
  if (typeOf(machine, net.name) === null) return links;
  for (const { net: other } of netsIn(machine, net.namespace ?? 'host')) {
    if (other.master !== net.name && !other.uppers.includes(net.name)) continue;
    links.set(`lower_${other.name}`, other.name);
  }
  return links;
}

const linkName = /^(upper_|lower_|master$)/;

/** Asked only for names that can be links: most looks are for an attribute. */
function links(machine: Machine, child: ChildDevice, now: NetNow): VDir {
  const node = (name: string): VNode | null => {
    if (!linkName.test(name)) return null;
    const other = machine.children.get('net', neighbours(machine, now).get(name) ?? '');
    return other === undefined ? null : linkTo(child.path, other.path);
  };
  return listing(() => [...neighbours(machine, now).keys()], node);
}

/** Folders by which bonds, bridges and their ports are told. */
function roles(machine: Machine, { net }: NetNow): VDir {
  const entries: Record<string, VNode> = {};
  const type = typeOf(machine, net.name);
  const ports = (): string =>
    netsIn(machine, net.namespace ?? 'host')
      .filter(({ net: other }) => other.master === net.name)
      .map(({ net: other }) => other.name)
      .join(' ');
  if (type === 'bond') {
    entries['bonding'] = dir({
      slaves: attribute(ports),
      mode: attribute(() => 'active-backup 1'),
    });
  }
  if (type === 'bridge') entries['bridge'] = dir(attributes({ stp_state: 0 }));
  const above = net.master === null ? null : typeOf(machine, net.master);
  if (above === 'bond') entries['bonding_slave'] = dir(attributes({ state: 'active' }));
  if (above === 'bridge') entries['brport'] = dir(attributes({ state: 3 }));
  return dir(entries);
}

/** All of an interface's own entries. */
export function netEntries(machine: Machine): (child: ChildDevice) => VDir | null {
  return (child) => {
    const now = netOf(child);
    if (now === null) return null;
    const own = values(machine, child);
    const beside = links(machine, child, now);
    return listing(
      () => [...own.list(), ...beside.list(), ...roles(machine, now).list()],
      (name) => own.child(name) ?? beside.child(name) ?? roles(machine, now).child(name),
    );
  };
}
