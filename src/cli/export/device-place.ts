// Where a function stands in the machine, for an export: the bridge above, what kind of bridge it is itself, and what
// it keeps apart. From configuration space where that was readable, else from what the grouping shows.
import type { DeviceSpec } from '../../kernel/model/spec.ts';
import { defaultHeader } from '../../kernel/model/topology-defaults.ts';
import { addressParts, type PciAddress, slotOf } from '../../pci/address.ts';
import type { PciFunction } from '../../pci/function.ts';
import type { PlaceFacts } from './config-space.ts';

/** What places are told from. */
export interface PlaceSources {
  readonly functions: readonly PciFunction[];
  readonly config: ReadonlyMap<PciAddress, PlaceFacts>;
  /** Numbers are written out: the exported machine has the groups that were seen. False without an IOMMU. */
  readonly grouped: boolean;
}

/** The number of its group; null: none, or none is written. */
export const groupOf = (fn: PciFunction, facts: PlaceSources): number | null =>
  facts.grouped && fn.groupNumber.known ? fn.groupNumber.value : null;

/** The driver that is bound; null: none, or not known. */
export const boundTo = (fn: PciFunction): string | null =>
  fn.driver.known ? fn.driver.value : null;

/** The place of a function. */
export function placeOf(
  fn: PciFunction,
  facts: PlaceSources,
): Pick<
  DeviceSpec,
  'parent' | 'realDmaDevice' | 'header' | 'multifunction' | 'acs' | 'conventionalBelow' | 'group'
> {
  const config = facts.config.get(fn.address);
  const told = config !== undefined && config.headerType !== null;
  return {
    ...above(fn),
    header: headerOf(fn, config),
    multifunction: told
      ? config.multifunction
      : facts.functions.some((other) => inSlotOf(fn, other)),
    acs: separates(fn, facts),
    conventionalBelow: isConventionalBelow(fn, facts),
    group: groupOf(fn, facts),
  };
}

function inSlotOf(fn: PciFunction, other: PciFunction): boolean {
  return other.address !== fn.address && slotOf(other.address) === slotOf(fn.address);
}

/** The bridge above, and whose requester id the DMA carries: behind VMD that is the VMD endpoint in another domain. */
function above(fn: PciFunction): Pick<DeviceSpec, 'parent' | 'realDmaDevice'> {
  const parent = fn.upstream.at(-1) ?? null;
  const foreign =
    parent !== null && addressParts(parent).domain !== addressParts(fn.address).domain;
  return foreign ? { parent: null, realDmaDevice: parent } : { parent, realDmaDevice: null };
}

function headerOf(fn: PciFunction, config: PlaceFacts | undefined): DeviceSpec['header'] {
  switch (config?.headerType) {
    case 0:
      return 'endpoint';
    case 1:
      return 'bridge';
    case 2:
      return 'cardbus';
    default:
      return defaultHeader(fn.classCode.known ? fn.classCode.value : '');
  }
}

/** PCI_EXP_TYPE_PCI_BRIDGE; without the capability at hand, told by what is below: no link, no extended space. */
function isConventionalBelow(fn: PciFunction, facts: PlaceSources): boolean {
  const own = facts.config.get(fn.address);
  if (headerOf(fn, own) !== 'bridge' || boundTo(fn) === 'pcieport') return false;
  if (own?.portType !== null && own?.portType !== undefined) return own.portType === 7;
  const below = facts.functions.filter((other) => other.upstream.at(-1) === fn.address);
  const express = (other: PciFunction): boolean =>
    facts.config.get(other.address)?.express === true || other.entries.has('max_link_speed');
  return below.length > 0 && !below.some(express);
}

/** ACS as configuration space has it; else as the grouping shows it: quirks separate functions without it. */
function separates(fn: PciFunction, facts: PlaceSources): boolean {
  const told = facts.config.get(fn.address)?.acs ?? null;
  if (told !== null) return told;
  const group = groupOf(fn, facts);
  const together = facts.functions.filter((other) => groupOf(other, facts) === group);
  if (headerOf(fn, facts.config.get(fn.address)) === 'bridge')
    return !together.some((other) => other.upstream.at(-1) === fn.address);
  const inSlot = (other: PciFunction): boolean => inSlotOf(fn, other);
  return facts.functions.some(inSlot) && !together.some(inSlot);
}
