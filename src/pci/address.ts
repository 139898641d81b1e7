// PCI addresses as Linux writes them: `dddd:bb:dd.f`, lower case, domain of four or more digits
// (VMD domains are 10000 and up).
import type { Brand } from '../base/brand.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** A full PCI address in the kernel's own spelling; order it with comparePciAddresses. */
export type PciAddress = Brand<string, 'PciAddress'>;

const addressForm = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/;

/** True for a text that is a full PCI address in the kernel's spelling. */
export function isPciAddress(text: string): text is PciAddress {
  return addressForm.test(text);
}

/** Parses a full address; upper case is accepted and lowered, a missing domain is not guessed. */
export function parsePciAddress(text: string): Result<PciAddress> {
  const lower = text.toLowerCase();
  if (isPciAddress(lower)) return ok(lower);
  return fail(`"${text}" is not a PCI address of the form dddd:bb:dd.f (for example 0000:65:00.0)`);
}

/** The parts of an address as numbers. */
export function addressParts(address: PciAddress): {
  readonly domain: number;
  readonly bus: number;
  readonly slot: number;
  readonly fn: number;
} {
  const [, domain = '', bus = '', slot = '', fn = ''] = addressForm.exec(address) ?? [];
  return {
    domain: Number.parseInt(domain, 16),
    bus: Number.parseInt(bus, 16),
    slot: Number.parseInt(slot, 16),
    fn: Number.parseInt(fn, 16),
  };
}

/** The slot an address belongs to: the address without its function (`0000:65:00`). */
export function slotOf(address: PciAddress): string {
  return address.slice(0, address.lastIndexOf('.'));
}

/** Orders addresses by domain, bus, slot, function: the order of lspci. */
export function comparePciAddresses(a: PciAddress, b: PciAddress): number {
  if (a === b) return 0;
  // Equal-length addresses compare as text; only VMD-like long domains need their number.
  if (a.length === b.length) return a < b ? -1 : 1;
  return a.length - b.length;
}
