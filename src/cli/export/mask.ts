// What an export does not tell: hardware addresses, IP addresses and identifiers are replaced, the same one always
// by the same one. Of IP addresses exactly this is kept: which of them lie in which of the machine's networks.
import { present } from '../../base/assert.ts';

/** Replaces each MAC address by a local one that counts up. */
export class MacMask {
  readonly #seen = new Map<string, string>();

  /** All zeroes stay: they say that there is none. */
  mask(mac: string): string {
    if (/^(?:00:)*00$/.test(mac)) return mac;
    const masked = this.#seen.get(mac) ?? this.#next();
    this.#seen.set(mac, masked);
    return masked;
  }

  #next(): string {
    const count = this.#seen.size + 1;
    const pair = (shift: number): string =>
      ((count >>> shift) & 0xff).toString(16).padStart(2, '0');
    return ['02', '00', pair(24), pair(16), pair(8), pair(0)].join(':');
  }
}

interface Family {
  readonly bits: number;
  /** The address whose bits a masked one has wherever the machine's addresses do not part. */
  readonly base: bigint;
}

const families = {
  v4: { bits: 32, base: 10n << 24n },
  v6: { bits: 128, base: 0x2001_0db8n << 96n },
} as const satisfies Record<string, Family>;

/**
 * Masks addresses of one family so that they share as many leading bits as before: a bit stays only where two of the
 * machine's addresses part, every other bit is that of a documentation address. Without a key, and nothing but
 * the shape of the tree of addresses is left.
 */
export class AddressMask {
  readonly #family: Family;
  /** Prefixes (length and bits) after which both a 0 and a 1 follow. */
  readonly #forks = new Set<string>();

  constructor(version: 4 | 6, addresses: Iterable<bigint>) {
    this.#family = families[version === 4 ? 'v4' : 'v6'];
    const follows = new Map<string, 0 | 1>();
    for (const address of addresses) {
      for (let length = 0; length < this.#family.bits; length++) {
        const prefix = this.#prefix(address, length);
        const bit = this.#bit(address, length);
        const other = follows.get(prefix);
        if (other === undefined) follows.set(prefix, bit);
        else if (other !== bit) this.#forks.add(prefix);
      }
    }
  }

  /** One of the addresses that the mask was made with, masked. */
  mask(address: bigint): bigint {
    const { bits, base } = this.#family;
    let masked = 0n;
    for (let length = 0; length < bits; length++) {
      const keep = this.#forks.has(this.#prefix(address, length));
      masked = (masked << 1n) | BigInt(this.#bit(keep ? address : base, length));
    }
    return masked;
  }

  #prefix(address: bigint, length: number): string {
    return `${length} ${address >> BigInt(this.#family.bits - length)}`;
  }

  #bit(address: bigint, at: number): 0 | 1 {
    return ((address >> BigInt(this.#family.bits - 1 - at)) & 1n) === 1n ? 1 : 0;
  }
}

/** The number of an address; null when it is none. IPv6 in any form without an embedded IPv4 address. */
export function addressNumber(
  text: string,
): { readonly version: 4 | 6; readonly value: bigint } | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const value = text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
    return { version: 4, value };
  }
  if (!/^[0-9a-f:]+$/.test(text) || !text.includes(':') || /::.*::/.test(text)) return null;
  const [head = '', tail] = text.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const gap = tail === undefined ? 0 : 8 - before.length - after.length;
  if (gap < 0 || before.length + gap + after.length !== 8) return null;
  const all = [...before, ...Array.from({ length: gap }, () => '0'), ...after];
  const value = all.reduce((sum, word) => (sum << 16n) | BigInt(Number.parseInt(word, 16)), 0n);
  return { version: 6, value };
}

/** The text of an address: dotted, or eight groups without leading zeroes, the first run of zero groups left out. */
export function addressText(version: 4 | 6, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const words = Array.from({ length: 8 }, (_, i) => (value >> BigInt((7 - i) * 16)) & 0xffffn);
  const text = words.map((word) => word.toString(16)).join(':');
  return text.replace(/(?:^|:)0(?::0)+(?:$|:)/, '::');
}

const linkLocal = 0xfe80n << 112n;

/** Masks addresses, networks and gateways given as texts; made with all of them. */
export function maskTexts(texts: readonly string[]): (text: string) => string {
  const numbers = texts
    .map((text) => addressNumber(bare(text)))
    .filter((each) => each !== null && each.value !== 0n)
    .filter((each) => each !== null);
  const isLocal = (value: bigint): boolean => value >> 118n === linkLocal >> 118n;
  const v4 = new AddressMask(
    4,
    numbers.flatMap((n) => (n.version === 4 ? [n.value] : [])),
  );
  const v6 = new AddressMask(
    6,
    numbers.flatMap((n) => (n.version === 6 && !isLocal(n.value) ? [n.value] : [])),
  );
  const locals = [
    ...new Set(numbers.flatMap((n) => (n.version === 6 && isLocal(n.value) ? [n.value] : []))),
  ];
  return (text) => {
    const number = present(addressNumber(bare(text)), `address ${text}`);
    const { version, value } = number;
    const length = text.slice(bare(text).length);
    // Everything at the start of the address space is a default route or its like.
    if (value === 0n) return `${version === 4 ? '0.0.0.0' : '::'}${length}`;
    // Link-local addresses are made from MAC addresses: they count up.
    if (version === 6 && isLocal(value)) {
      return `${addressText(6, linkLocal | BigInt(locals.indexOf(value) + 1))}${length}`;
    }
    return `${addressText(version, (version === 4 ? v4 : v6).mask(value))}${length}`;
  };
}

function bare(text: string): string {
  return text.split('/')[0] ?? '';
}

/** Words of the kernel command line that matter for passthrough; the others may name hosts, disks and secrets. */
const harmless =
  /^(?:iommu|intel_iommu|amd_iommu|intremap|nointremap|iommu\.\S+|pci|pcie\S*|vfio\S*|pci-stub\.ids|console|nomodeset|modprobe\.blacklist|module_blacklist|rd\.driver\.(?:pre|blacklist)|hugepages\w*|default_hugepagesz|kvm\S*|quiet)(?:=|$)/;

/** The command line without what may tell more than it should. */
export function harmlessWords(commandLine: string): string {
  return commandLine
    .split(/\s+/)
    .filter((word) => harmless.test(word))
    .join(' ');
}

/** Replaces the part of a device-mapper uuid after its maker's prefix (`LVM-`, `CRYPT-LUKS2-`, `mpath-`) by a count. */
export function maskedUuid(uuid: string, count: number): string {
  const prefix =
    /^(?:LVM-|CRYPT-(?:[A-Z0-9]+-)?|mpath-|part\d+-mpath-|[A-Za-z]+-)/.exec(uuid)?.[0] ?? '';
  return `${prefix}${count}`;
}
