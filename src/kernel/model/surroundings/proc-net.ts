// /proc/PID/net of one network namespace: dev, route, if_inet6, ipv6_route, bonding (net/ipv4/fib_trie.c,
// net/ipv6/{addrconf,route}.c, drivers/net/bonding). fib_trie has a file of its own.
import type { Machine } from '../machine.ts';
import type { RouteState } from '../objects/host-state.ts';
import { hostNamespace } from '../topology-defaults.ts';
import { hexOf, netsIn, prefixOf, withHostBits, type NetNow } from './net-names.ts';

/** /proc/net/dev. */
export function devText(machine: Machine, namespace: string): string {
  const header =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
  const zeroes = [7, 7, 4, 4, 4, 5, 10, 9, 8, 7, 4, 4, 4, 5, 7, 10];
  const lines = netsIn(machine, namespace).map(
    ({ net }) =>
      `${net.name.padStart(6)}: ${zeroes.map((width) => '0'.padStart(width)).join(' ')}\n`,
  );
  return header + lines.join('');
}

/** Routes of a namespace: those of the table (host only), and the connected ones of addresses on interfaces that are up. */
export function routesIn(machine: Machine, namespace: string): readonly RouteState[] {
  const connected: RouteState[] = [];
  for (const { net } of netsIn(machine, namespace)) {
    if (!net.up || net.name === 'lo') continue;
    for (const address of net.addresses) {
      const prefix = prefixOf(address);
      const network = withHostBits(prefix, 0);
      const text = prefix.family === 4 ? network.join('.') : groupsOf(network);
      connected.push({
        destination: `${text}/${prefix.length}`,
        gateway: null,
        iface: net.name,
      });
    }
  }
  const table = namespace === hostNamespace ? machine.host.routes : [];
  const key = (route: RouteState): string => `${route.destination} ${route.iface}`;
  const told = new Set(table.map(key));
  return [...table, ...connected.filter((route) => !told.has(key(route)))];
}

function groupsOf(bytes: readonly number[]): string {
  return Array.from({ length: 8 }, (_, i) => hexOf(bytes.slice(i * 2, i * 2 + 2))).join(':');
}

function littleEndianHex(bytes: readonly number[]): string {
  return hexOf([...bytes].reverse()).toUpperCase();
}

/** Flags of rtnetlink in the old table: RTF_UP, RTF_GATEWAY. */
const up = 0x1;
const gateway = 0x2;

/** /proc/net/route: lines of exactly 127 characters (fib_route_seq_show). */
export function routeText(machine: Machine, namespace: string): string {
  const header =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
  const lines = routesIn(machine, namespace)
    .map((route) => ({ route, prefix: prefixOf(route.destination) }))
    .filter(({ prefix }) => prefix.family === 4)
    .map(({ route, prefix }) => {
      const via = route.gateway === null ? [0, 0, 0, 0] : prefixOf(route.gateway).bytes;
      const mask = withHostBits(
        { family: 4, bytes: [255, 255, 255, 255], length: prefix.length },
        0,
      );
      const flags = up | (route.gateway === null ? 0 : gateway);
      const shown = [
        ...[route.iface, littleEndianHex(withHostBits(prefix, 0)), littleEndianHex(via)],
        ...[flags.toString(16).toUpperCase().padStart(4, '0'), '0', '0', '0'],
        ...[littleEndianHex(mask), '0', '0', '0'],
      ];
      return shown.join('\t');
    });
  // Linux makes the table, and with it the heading, when there is something to put into it.
  if (lines.length === 0) return '';
  return [header, ...lines].map((line) => `${line.padEnd(127)}\n`).join('');
}

/** Address scopes of if_inet6: IPV6_ADDR_LINKLOCAL 0x20, IPV6_ADDR_LOOPBACK 0x10, else global. */
function scopeOf(bytes: readonly number[]): number {
  if (bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80) return 0x20;
  return bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1 ? 0x10 : 0;
}

function v6Of(now: NetNow): readonly ReturnType<typeof prefixOf>[] {
  return now.net.addresses.map(prefixOf).filter((prefix) => prefix.family === 6);
}

const pair = (value: number): string => value.toString(16).padStart(2, '0');

/** /proc/net/if_inet6. Interfaces that are down have no addresses of this family. */
export function ifInet6Text(machine: Machine, namespace: string): string {
  return netsIn(machine, namespace)
    .filter(({ net }) => net.up)
    .flatMap((now) =>
      v6Of(now).map((prefix) => {
        const facts = [pair(now.ifindex), pair(prefix.length), pair(scopeOf(prefix.bytes)), '80'];
        return `${hexOf(prefix.bytes)} ${facts.join(' ')} ${now.net.name.padStart(8)}\n`;
      }),
    )
    .join('');
}

const word = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** One line of ipv6_route. */
function route6(fields: {
  readonly destination: readonly number[];
  readonly length: number;
  readonly via?: readonly number[];
  readonly metric: number;
  readonly flags: number;
  readonly iface: string;
}): string {
  const none = hexOf(Array.from({ length: 16 }, () => 0));
  const via = fields.via === undefined ? none : hexOf(fields.via);
  const numbers = [fields.metric, 1, 0, fields.flags].map(word).join(' ');
  const { destination, length, iface } = fields;
  return `${hexOf(destination)} ${pair(length)} ${none} 00 ${via} ${numbers} ${iface.padStart(8)}\n`;
}

/** RTF_UP with RTF_LOCAL, with RTF_REJECT and RTF_NONEXTHOP: the entry that stands for "no default route". */
const local = 0x80200001;
const reject = 0x00200200;

/** /proc/net/ipv6_route, with the local and multicast entries and the reject entry at the end. */
export function ipv6RouteText(machine: Machine, namespace: string): string {
  const zero = Array.from({ length: 16 }, () => 0);
  const nets = netsIn(machine, namespace).filter(({ net }) => net.up);
  const table = routesIn(machine, namespace)
    .map((route) => ({ route, prefix: prefixOf(route.destination) }))
    .filter(({ prefix }) => prefix.family === 6)
    .map(({ route, prefix }) =>
      route6({
        destination: withHostBits(prefix, 0),
        length: prefix.length,
        ...(route.gateway === null ? {} : { via: prefixOf(route.gateway).bytes }),
        metric: route.gateway === null ? 256 : 1024,
        flags: up | (route.gateway === null ? 0 : gateway),
        iface: route.iface,
      }),
    );
  const own = nets.flatMap((now) =>
    v6Of(now).map((prefix) =>
      route6({
        destination: prefix.bytes,
        length: 128,
        metric: 0,
        flags: local,
        iface: now.net.name,
      }),
    ),
  );
  const multicast = nets
    .filter((now) => now.net.name !== 'lo' && v6Of(now).length > 0)
    .map(({ net }) =>
      route6({
        destination: [0xff, ...zero.slice(1)],
        length: 8,
        metric: 256,
        flags: up,
        iface: net.name,
      }),
    );
  const none = route6({
    destination: zero,
    length: 0,
    metric: 0xffffffff,
    flags: reject,
    iface: 'lo',
  });
  return [...table, ...own, ...multicast, none].join('');
}

/** /proc/net/bonding/BOND. */
export function bondingText(machine: Machine, bond: string): string {
  const ports = netsIn(machine, hostNamespace).filter(({ net }) => net.master === bond);
  const slaves = ports.map(
    ({ net }) =>
      `\nSlave Interface: ${net.name}\nMII Status: ${net.carrier ? 'up' : 'down'}\nPermanent HW addr: ${net.mac}\n`,
  );
  const active = ports.find(({ net }) => net.carrier)?.net.name ?? 'None';
  return `Ethernet Channel Bonding Driver\n\nBonding Mode: fault-tolerance (active-backup)\nPrimary Slave: None\nCurrently Active Slave: ${active}\nMII Status: ${ports.some(({ net }) => net.carrier) ? 'up' : 'down'}\n${slaves.join('')}`;
}
