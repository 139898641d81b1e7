// Small readings of texts that a dump has: configuration space, releases, link texts.
import type { KernelProfile } from './spec.ts';

/** The last part of a path or of a link's text. */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The profile that behaves like a release: the newest that is not newer (5.19 brought ownership accounting). */
export function profileOfRelease(release: string): KernelProfile {
  const [, major = '6', minor = '12'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  const version = Number(major) * 1000 + Number(minor);
  if (version < 5019) return 'legacy';
  if (version < 6012) return '6.1';
  return version < 7002 ? '6.12' : '7.2';
}

/** What configuration space tells of a function's place in the tree. */
export interface ConfigFacts {
  /** 0 endpoint, 1 bridge, 2 cardbus; null when configuration space is not there. */
  readonly headerType: number | null;
  readonly multifunction: boolean;
  /** Device/port type of the PCI Express capability; null for conventional PCI. */
  readonly portType: number | null;
  /** Reads as all ones. */
  readonly dead: boolean;
}

/** PCI_EXP_TYPE_PCI_BRIDGE of pci_regs.h: from PCI Express to conventional PCI. */
export const pcieToPciBridge = 7;

/** Reads header type and the PCI Express capability; bytes that were cut off are zero. */
export function configFacts(hex: string): ConfigFacts {
  const byte = (at: number): number => Number.parseInt(hex.slice(at * 2, at * 2 + 2) || '00', 16);
  if (hex.length < 8)
    return { headerType: null, multifunction: false, portType: null, dead: false };
  if (hex.startsWith('ffffffff')) {
    return { headerType: null, multifunction: false, portType: null, dead: true };
  }
  let portType: number | null = null;
  // 48 capabilities fit into 192 bytes: a longer chain is a loop (PCI_FIND_CAP_TTL).
  let at = (byte(0x06) & 0x10) === 0 ? 0 : byte(0x34) & 0xfc;
  for (let left = 48; at >= 0x40 && left > 0; left--) {
    if (byte(at) === 0x10) portType = (byte(at + 2) >> 4) & 0xf;
    at = byte(at + 1) & 0xfc;
  }
  return {
    headerType: byte(0x0e) & 0x7f,
    multifunction: (byte(0x0e) & 0x80) !== 0,
    portType,
    dead: false,
  };
}
