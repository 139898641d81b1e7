// What configuration space tells of a function's place in the tree: header, kind of port, access control. Pure; what
// was not readable (an unprivileged reader gets 64 bytes) is null.
import { configFacts, type ConfigFacts } from '../../kernel/model/dump-texts.ts';

/** The facts of configuration space, and ACS where the extended part was readable and has the capability. */
export interface PlaceFacts extends ConfigFacts {
  /** Source validation and redirection are on (ACS control SV, RR, CR, UF); null: not told. */
  readonly acs: boolean | null;
  /** More than 256 bytes: a PCI Express function. Null: not all of it was readable. */
  readonly express: boolean | null;
}

const extendedStart = 0x100;
const acsCapability = 0x0d;
/** PCI_ACS_SV, PCI_ACS_RR, PCI_ACS_CR, PCI_ACS_UF: what pci_acs_path_enabled asks for (REQ_ACS_FLAGS). */
const required = 0x1d;
/** Capabilities that fit into the extended space at most (pci_find_ext_capability). */
const chainMax = (4096 - 256) / 8;

/** Reads the facts from the bytes of `config`. */
export function placeFacts(bytes: Uint8Array): PlaceFacts {
  const hex = Buffer.from(bytes.subarray(0, extendedStart)).toString('hex');
  return {
    ...configFacts(hex),
    acs: acsOf(bytes),
    express: bytes.length < extendedStart ? null : bytes.length > extendedStart,
  };
}

function acsOf(bytes: Uint8Array): boolean | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = extendedStart;
  for (let left = chainMax; left > 0 && at >= extendedStart && at + 8 <= bytes.length; left--) {
    const header = view.getUint32(at, true);
    if (header === 0 || header === 0xffff_ffff) return null;
    if ((header & 0xffff) === acsCapability)
      return (view.getUint16(at + 6, true) & required) === required;
    at = (header >>> 20) & 0xffc;
  }
  return null;
}
