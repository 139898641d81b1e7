// The function that the argument of `explain` means. A missing domain is filled in only where that is certain; a
// group's number is refused, because it means another group after the next boot.
import { CodedError } from '../base/errors.ts';
import { isPciAddress, parsePciAddress, type PciAddress, slotOf } from '../pci/address.ts';
import { memberName } from '../pci/group.ts';
import type { Inventory } from '../pci/inventory.ts';

const form =
  'the form is dddd:bb:dd.f, for example 0000:65:00.0 (or 65:00.0, where only one domain has it)';

function refused(text: string, why: string): CodedError {
  return new CodedError('WG_FLAG_INVALID', `address: "${text}" ${why}`);
}

/** Throws WG_FLAG_INVALID when no machine could have what `text` names; asked before the machine is read. */
export function requireAddressForm(text: string): void {
  const lower = text.toLowerCase();
  const may = [/^([0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f](\.[0-7])?$/, /^\d{1,9}$/];
  if (!may.some((pattern) => pattern.test(lower))) {
    throw refused(text, `is not a PCI address; ${form}`);
  }
}

/**
 * The address meant by `text` on this machine; null: a well-formed address of nothing that is there. Throws
 * WG_FLAG_INVALID for a group's number, a slot, and a short address that several domains have.
 */
export function resolveAddress(text: string, inventory: Inventory): PciAddress | null {
  const whole = parsePciAddress(text);
  const there = inventory.functions.map((fn) => fn.address);
  if (whole.ok) return there.includes(whole.value) ? whole.value : null;
  const lower = text.toLowerCase();
  if (/^\d+$/.test(lower)) throw refused(text, groupHint(Number(lower), inventory));
  const ending = there.filter((address) => address === lower || address.endsWith(`:${lower}`));
  const [only, second] = ending;
  if (only !== undefined && second === undefined) return only;
  if (only !== undefined) {
    throw refused(text, `is there in several domains: say which, ${ending.join(' or ')}`);
  }
  const inSlot = there.filter((address) => `:${slotOf(address)}`.endsWith(`:${lower}`));
  if (inSlot.length > 0) {
    throw refused(text, `is a slot; name one of its functions: ${inSlot.join(', ')}`);
  }
  return null;
}

function groupHint(number: number, inventory: Inventory): string {
  const group = inventory.groups.find((candidate) => candidate.number === number);
  const members = group?.members.map(memberName).filter(isPciAddress) ?? [];
  const named = members.length === 0 ? '' : ` (group ${number} has ${members.join(', ')} now)`;
  return `looks like a group's number, which changes from boot to boot; name a member by its address${named}: ${form}`;
}
