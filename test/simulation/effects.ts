// What a write to sysfs does to a function: told from path and data, as a kernel would take them.
import { isPciAddress, type PciAddress } from '../../src/pci/address.ts';

const deviceOf = /(?:devices\/)([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\/(\w+)$/;
const driverFile = /drivers\/([^/]+)\/(bind|unbind)$/;

/** One effect of a write of a plan. */
export interface Effect {
  readonly address: PciAddress;
  readonly what: 'override' | 'bind' | 'unbind' | 'probe' | 'reset';
  readonly driver: string | null;
}

/** What a write would do to which function; null for files that are none of a plan. */
export function effectOf(path: string, data: string): Effect | null {
  const text = data.trim();
  const attribute = deviceOf.exec(path);
  if (attribute?.[1] !== undefined && isPciAddress(attribute[1])) {
    const address = attribute[1];
    if (attribute[2] === 'driver_override')
      return { address, what: 'override', driver: text === '' ? null : text };
    if (attribute[2] === 'reset') return { address, what: 'reset', driver: null };
    return null;
  }
  if (!isPciAddress(text)) return null;
  if (path.endsWith('/drivers_probe')) return { address: text, what: 'probe', driver: null };
  const file = driverFile.exec(path);
  if (file === null) return null;
  return { address: text, what: file[2] === 'bind' ? 'bind' : 'unbind', driver: file[1] ?? null };
}
