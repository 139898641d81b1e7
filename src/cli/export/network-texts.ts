// Routes and addresses of /proc/PID/net as an export has them: parsers alone. Lines of another form are left out;
// the close look has told of them.
import { addressNumber } from './mask.ts';

/** A route: networks and gateways as texts. */
export interface RouteLine {
  /** CIDR. */
  readonly destination: string;
  readonly gateway: string | null;
  readonly iface: string;
}

/** An address of an interface, with its prefix length. */
export interface AddressLine {
  readonly iface: string;
  /** CIDR. */
  readonly address: string;
}

function dotted(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join('.');
}

/** Words of /proc/net/route are in the processor's order: little-endian on every supported one. */
function wordOf(hex: string): number {
  const bytes = hex.match(/../g) ?? [];
  return bytes.reduceRight((word, byte) => ((word << 8) | Number.parseInt(byte, 16)) >>> 0, 0);
}

function lengthOf(mask: number): number {
  return (mask >>> 0).toString(2).replaceAll('0', '').length;
}

/** /proc/net/route. */
export function routesOfV4(text: string): readonly RouteLine[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [iface = '', destination = '', gateway = '', , , , , mask = ''] = fields;
      if (!/^[0-9A-F]{8}$/i.test(mask)) return [];
      const via = wordOf(gateway);
      return [
        {
          destination: `${dotted(wordOf(destination))}/${lengthOf(wordOf(mask))}`,
          gateway: via === 0 ? null : dotted(via),
          iface,
        },
      ];
    });
}

function colons(hex: string): string {
  return (hex.match(/.{4}/g) ?? []).map((word) => word.replace(/^0{1,3}/, '')).join(':');
}

/** RTF_REJECT and RTF_LOCAL of linux/ipv6_route.h: the kernel's own entries. */
const ownEntries = 0x8000_0200;

/** /proc/net/ipv6_route, without the kernel's own entries, multicast, and the link-local network of every interface. */
export function routesOfV6(text: string): readonly RouteLine[] {
  return text.split('\n').flatMap((line) => {
    const [to = '', length = '', , , via = '', , , , flags = '', iface = ''] = line
      .trim()
      .split(/\s+/);
    if (!/^[0-9a-f]{32}$/.test(to) || (Number.parseInt(flags, 16) & ownEntries) !== 0) return [];
    if (/^ff|^fe80/.test(to) || iface === 'lo') return [];
    const gateway = /^0+$/.test(via) ? null : colons(via);
    return [{ destination: `${colons(to)}/${Number.parseInt(length, 16)}`, gateway, iface }];
  });
}

/** /proc/net/if_inet6, without the loopback. */
export function addressesOfV6(text: string): readonly AddressLine[] {
  return text.split('\n').flatMap((line) => {
    const [hex = '', , length = '', , , iface = ''] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{32}$/.test(hex) || iface === 'lo') return [];
    return [{ iface, address: `${colons(hex)}/${Number.parseInt(length, 16)}` }];
  });
}

/** Local addresses of /proc/net/fib_trie, each on the interface with the most specific direct route to it. */
export function addressesOfV4(text: string, routes: readonly RouteLine[]): readonly AddressLine[] {
  const found = new Set<string>();
  let last: string | null = null;
  for (const line of text.split('\n')) {
    const leaf = /\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(line);
    if (leaf !== null) last = leaf[1] ?? null;
    else if (last !== null && /\/32 host LOCAL/.test(line) && !last.startsWith('127.'))
      found.add(last);
  }
  return [...found].flatMap((address) => {
    const direct = routes
      .map((route) => ({ route, length: Number(route.destination.split('/')[1]) }))
      .filter(
        ({ route, length }) => route.gateway === null && length > 0 && contains(route, address),
      )
      .sort((a, b) => b.length - a.length)[0];
    return direct === undefined
      ? []
      : [{ iface: direct.route.iface, address: `${address}/${direct.length}` }];
  });
}

/** Routes without those that an address on the same interface brings by itself. */
export function withoutConnected(
  routes: readonly RouteLine[],
  addresses: readonly AddressLine[],
): readonly RouteLine[] {
  return routes.filter(
    ({ destination, gateway, iface }) =>
      gateway !== null ||
      !addresses.some(
        (each) => each.iface === iface && networkOf(each.address) === networkOf(destination),
      ),
  );
}

/** A network as `version/number/length`: texts of one network differ. */
function networkOf(cidr: string): string {
  const [address = '', length = '0'] = cidr.split('/');
  const number = addressNumber(address);
  if (number === null) return cidr;
  const shift = BigInt((number.version === 4 ? 32 : 128) - Number(length));
  return `${number.version}/${number.value >> shift}/${length}`;
}

function numberOf(text: string): number {
  return text.split('.').reduce((word, part) => ((word << 8) | Number(part)) >>> 0, 0);
}

function contains({ destination }: RouteLine, address: string): boolean {
  const [network = '', length = '0'] = destination.split('/');
  if (network.includes(':')) return false;
  const shift = 32 - Number(length);
  return numberOf(network) >>> shift === numberOf(address) >>> shift;
}
