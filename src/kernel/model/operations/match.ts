// Which driver may take which function: pci_match_device() of drivers/pci/pci-driver.c, and the text of
// new_id and remove_id.
import type { Driver, DriverId } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';

/** Matches anything (PCI_ANY_ID). */
export const anyId = -1;

interface Ids {
  readonly vendor: number;
  readonly device: number;
  readonly subvendor: number;
  readonly subdevice: number;
  readonly class: number;
}

/** pci_match_one_device. */
function matchesId(id: DriverId, ids: Ids): boolean {
  return (
    (id.vendor === anyId || id.vendor === ids.vendor) &&
    (id.device === anyId || id.device === ids.device) &&
    (id.subvendor === anyId || id.subvendor === ids.subvendor) &&
    (id.subdevice === anyId || id.subdevice === ids.subdevice) &&
    ((id.class ^ ids.class) & id.classMask) === 0
  );
}

/** The ids of a function as numbers. */
function idsOf(device: PciDevice): Ids {
  const hex = (text: string): number => Number.parseInt(text, 16);
  const { spec } = device;
  return {
    vendor: hex(spec.vendor),
    device: hex(spec.device),
    subvendor: hex(spec.subsystemVendor),
    subdevice: hex(spec.subsystemDevice),
    class: hex(spec.classCode),
  };
}

/** True when the driver's own table has the function, or the machine says it is the native one. */
function matchesStatically(driver: Driver, device: PciDevice): boolean {
  if (device.spec.nativeDriver === driver.name) return true;
  if (driver.personality.ids.length === 0) return false;
  const ids = idsOf(device);
  return driver.personality.ids.some((id) => !id.overrideOnly && matchesId(id, ids));
}

/** Whether the driver may be tried on the function now (pci_bus_match and pci_match_device). */
export function mayBind(driver: Driver, device: PciDevice): boolean {
  if (!device.matchable) return false;
  if (device.override !== null) return device.override === driver.name;
  if (driver.dynamicIds.length > 0) {
    const ids = idsOf(device);
    if (driver.dynamicIds.some((id) => matchesId(id, ids))) return true;
  }
  return matchesStatically(driver, device);
}

/** Hex numbers as sscanf("%x %x …") reads them: up to `limit`, stopping at the first that is none. */
function hexFields(text: string, limit: number): number[] {
  const fields: number[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const match = /^(?:0[xX])?([0-9a-fA-F]+)/.exec(word);
    if (match === null || fields.length === limit) break;
    fields.push(Number.parseInt(match[1] as string, 16));
    if (match[0] !== word) break;
  }
  return fields;
}

/** The id of a new_id text, or null when it has fewer than two fields. */
export function parseNewId(
  text: string,
): { readonly id: DriverId; readonly fields: number; readonly data: number } | null {
  const fields = hexFields(text, 7);
  if (fields.length < 2) return null;
  const [
    vendor = 0,
    device = 0,
    subvendor = anyId,
    subdevice = anyId,
    cls = 0,
    mask = 0,
    data = 0,
  ] = fields;
  const any = (n: number): number => (n === 0xffff_ffff ? anyId : n);
  const id: DriverId = {
    vendor: any(vendor),
    device: any(device),
    subvendor: any(subvendor),
    subdevice: any(subdevice),
    class: cls,
    classMask: mask,
    overrideOnly: false,
  };
  return { id, fields: fields.length, data };
}

/** new_id refuses what the driver has already (the made-up function of new_id_store). */
export function alreadyMatches(
  driver: Driver,
  id: DriverId,
  natives: readonly PciDevice[],
): boolean {
  const made: Ids = { ...id };
  if (driver.dynamicIds.some((known) => matchesId(known, made))) return true;
  if (driver.personality.ids.some((known) => !known.overrideOnly && matchesId(known, made)))
    return true;
  return natives.some((device) => {
    const ids = idsOf(device);
    return (
      device.spec.nativeDriver === driver.name &&
      ids.vendor === id.vendor &&
      ids.device === id.device
    );
  });
}

/** The dynamic id that a remove_id text names, or -1. */
export function dynamicIdIndex(driver: Driver, id: DriverId): number {
  return driver.dynamicIds.findIndex(
    (known) =>
      known.vendor === id.vendor &&
      known.device === id.device &&
      (id.subvendor === anyId || known.subvendor === id.subvendor) &&
      (id.subdevice === anyId || known.subdevice === id.subdevice) &&
      ((known.class ^ id.class) & id.classMask) === 0,
  );
}
