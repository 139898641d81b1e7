// Network interfaces of the node with what is stacked on them, their addresses and their routes, as pid 1's network
// namespace has them. Parsers of /proc/net are here; what a finding means is in uses/network.ts.
import { type Known, known, type Unknown, unknown } from '../../base/known.ts';
import { isAbsent, shown } from '../reading.ts';
import type { UseContext } from './context.ts';

/** An address and the interface it is on. */
export interface InterfaceAddress {
  readonly iface: string;
  readonly address: string;
  /** The file that told. */
  readonly path: string;
}

/** A route of the main table. */
export interface Route {
  readonly iface: string;
  /** Prefix length 0: everything. */
  readonly isDefault: boolean;
  /** IPv4 network and mask as numbers; null for IPv6. */
  readonly network: { readonly base: number; readonly mask: number } | null;
  readonly direct: boolean;
  readonly path: string;
  readonly line: string;
}

/** Addresses and routes, and what could not be read of them. */
export interface NetworkTable {
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
  readonly problems: readonly Unknown[];
}

const files = {
  route4: '/proc/1/net/route',
  trie4: '/proc/1/net/fib_trie',
  route6: '/proc/1/net/ipv6_route',
  address6: '/proc/1/net/if_inet6',
} as const;

/** Reads addresses and routes. IPv6 that the kernel does not have is no problem. */
export async function surveyNetwork(context: UseContext): Promise<NetworkTable> {
  const [route4, trie4, route6, address6] = await Promise.all([
    context.text(files.route4),
    context.text(files.trie4),
    context.text(files.route6),
    context.text(files.address6),
  ]);
  const problems: Unknown[] = [];
  const parsed = <T>(
    text: Known<string>,
    parse: (text: string) => Known<readonly T[]>,
  ): readonly T[] => {
    const fact = text.known ? parse(text.value) : text;
    if (fact.known) return fact.value;
    problems.push(fact);
    return [];
  };
  const routes4 = parsed(route4, parseRoutes4);
  const routes6 = isAbsent(route6) ? [] : parsed(route6, parseRoutes6);
  const local4 = parsed(trie4, parseLocalAddresses4);
  const local6 = isAbsent(address6) ? [] : parsed(address6, parseAddresses6);
  return {
    addresses: [...placed(local4, routes4), ...local6],
    routes: [...routes4, ...routes6],
    problems,
  };
}

/** fib_trie does not say on which interface an address is: the most specific direct route does. */
function placed(addresses: readonly number[], routes: readonly Route[]): InterfaceAddress[] {
  const found: InterfaceAddress[] = [];
  for (const address of addresses) {
    let best: Route | null = null;
    for (const route of routes) {
      if (route.network === null || !route.direct || route.isDefault) continue;
      if ((address & route.network.mask) >>> 0 !== route.network.base) continue;
      if (best === null || route.network.mask > (best.network?.mask ?? 0)) best = route;
    }
    if (best !== null)
      found.push({ iface: best.iface, address: dotted(address), path: files.trie4 });
  }
  return found;
}

/** 32 bits in host order as a dotted quad. */
function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** /proc/net/route writes network-order words as the processor reads them: little-endian on every supported one. */
function wordOf(hex: string): number {
  const bytes = hex.match(/../g) ?? [];
  return bytes.reduceRight((word, byte) => ((word << 8) | Number.parseInt(byte, 16)) >>> 0, 0);
}

/** Parses /proc/net/route (net/ipv4/fib_trie.c fib_route_seq_show). */
export function parseRoutes4(text: string): Known<readonly Route[]> {
  const path = files.route4;
  const [head, ...lines] = text.split('\n');
  // A network namespace that never had a route has no table yet, and not even a heading for it.
  if (text === '') return known([]);
  if (head?.startsWith('Iface') !== true) {
    return unknown(path, `begins with ${shown(head ?? '')} instead of Iface`);
  }
  const routes: Route[] = [];
  for (const line of lines) {
    if (line.trim() === '') continue;
    const match =
      /^(\S+)\s+([0-9A-F]{8})\s+([0-9A-F]{8})\s+([0-9A-F]+)\s+\d+\s+\d+\s+-?\d+\s+([0-9A-F]{8})\s/i.exec(
        line,
      );
    if (match === null) return unknown(path, `has the line ${shown(line)}, which is no route`);
    const [, iface = '', destination = '', gateway = '', , mask = ''] = match;
    const isDefault = mask === '00000000';
    const network = { base: wordOf(destination), mask: wordOf(mask) };
    routes.push({ iface, isDefault, network, direct: gateway === '00000000', path, line });
  }
  return known(routes);
}

/** Parses /proc/net/ipv6_route (net/ipv6/route.c rt6_info_route). */
export function parseRoutes6(text: string): Known<readonly Route[]> {
  const path = files.route6;
  const routes: Route[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const match =
      /^[0-9a-f]{32} ([0-9a-f]{2}) [0-9a-f]{32} [0-9a-f]{2} [0-9a-f]{32} (?:[0-9a-f]{8} ){3}([0-9a-f]{8}) +(\S+)$/.exec(
        line,
      );
    if (match === null) return unknown(path, `has the line ${shown(line)}, which is no route`);
    const [, length = '', flags = '', iface = ''] = match;
    // RTF_REJECT 0x0200: the kernel's own "no route" entry, on lo.
    if ((Number.parseInt(flags, 16) & 0x0200) !== 0) continue;
    routes.push({ iface, isDefault: length === '00', network: null, direct: false, path, line });
  }
  return known(routes);
}

/** Local unicast addresses in /proc/net/fib_trie, outside 127/8. */
export function parseLocalAddresses4(text: string): Known<readonly number[]> {
  const found = new Set<number>();
  let last: number | null = null;
  for (const line of text.split('\n')) {
    const leaf = /\|-- (\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(line);
    if (leaf !== null) {
      last = leaf.slice(1).reduce((word, part) => ((word << 8) | Number(part)) >>> 0, 0);
    } else if (last !== null && /\/32 host LOCAL/.test(line) && last >>> 24 !== 127) {
      found.add(last);
    }
  }
  return known([...found]);
}

/** Parses /proc/net/if_inet6 (net/ipv6/addrconf.c if6_seq_show); lo is left out. */
export function parseAddresses6(text: string): Known<readonly InterfaceAddress[]> {
  const path = files.address6;
  const found: InterfaceAddress[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const match = /^([0-9a-f]{32}) [0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2} +(\S+)$/.exec(
      line,
    );
    if (match === null) return unknown(path, `has the line ${shown(line)}, which is no address`);
    const [, hex = '', iface = ''] = match;
    if (iface !== 'lo') found.push({ iface, address: colons(hex), path });
  }
  return known(found);
}

/** The usual short form of an IPv6 address given as 32 hex digits: the longest run of zero words left out. */
function colons(hex: string): string {
  const words = (hex.match(/.{4}/g) ?? []).map((word) => Number.parseInt(word, 16).toString(16));
  let best = { from: 0, length: 1 };
  for (let from = 0; from < words.length; from++) {
    let length = 0;
    while (words[from + length] === '0') length++;
    if (length > best.length) best = { from, length };
  }
  if (best.length === 1) return words.join(':');
  const head = words.slice(0, best.from).join(':');
  return `${head}::${words.slice(best.from + best.length).join(':')}`;
}
