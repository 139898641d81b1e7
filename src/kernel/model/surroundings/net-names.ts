// The interfaces that exist now, by network namespace, and arithmetic with their addresses.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { NetSpec } from '../spec.ts';
import { hostNamespace } from '../topology-defaults.ts';

/** An interface that exists now. */
export interface NetNow {
  readonly child: ChildDevice;
  readonly net: NetSpec;
  readonly ifindex: number;
}

/** The facts of a child when it is an interface. */
export function netOf(child: ChildDevice): NetNow | null {
  const { facts } = child;
  return facts.kind === 'net' ? { child, net: facts.net, ifindex: facts.ifindex } : null;
}

/** Interfaces of one namespace. */
export function netsIn(machine: Machine, namespace: string): readonly NetNow[] {
  return machine.children
    .of('net')
    .map(netOf)
    .filter((found) => found !== null && (found.net.namespace ?? hostNamespace) === namespace)
    .filter((found) => found !== null);
}

/** An address with its prefix length. */
export interface Prefix {
  readonly family: 4 | 6;
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[];
  readonly length: number;
}

function bytesOfV6(text: string): readonly number[] {
  const [head = '', tail] = text.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const zeroes = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const all = tail === undefined ? before : [...before, ...zeroes, ...after];
  return all.flatMap((word) => {
    const value = Number.parseInt(word, 16);
    return [value >> 8, value & 0xff];
  });
}

/** Reads `192.0.2.1/24`, `2001:db8::1/64`, or an address alone (then the full length). */
export function prefixOf(text: string): Prefix {
  const [address = '', length] = text.split('/');
  const family = address.includes(':') ? 6 : 4;
  const bytes = family === 4 ? address.split('.').map(Number) : bytesOfV6(address);
  return { family, bytes, length: length === undefined ? bytes.length * 8 : Number(length) };
}

/** The prefix with all bits after its length at `bit`: the network (0) or its broadcast address (1). */
export function withHostBits(prefix: Prefix, bit: 0 | 1): readonly number[] {
  return prefix.bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix.length - index * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    return bit === 0 ? byte & mask : (byte & mask) | (~mask & 0xff);
  });
}

/** Bytes as dotted decimals. */
export function dotted(bytes: readonly number[]): string {
  return bytes.join('.');
}

/** Bytes as hex digits without separators. */
export function hexOf(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
