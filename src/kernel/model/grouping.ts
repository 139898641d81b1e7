// Which IOMMU group a PCI function gets: pci_device_group() of drivers/iommu/iommu.c with
// pci_for_each_dma_alias() and pci_acs_path_enabled(), as a pure function of the tree and the groups that
// exist. Used at boot, for hot-added functions and for new VFs alike; it changes nothing itself.
import { addressParts, comparePciAddresses, slotOf, type PciAddress } from '../../pci/address.ts';

/** The facts of a function that grouping depends on. */
export interface GroupingFunction {
  readonly address: PciAddress;
  /** The bridge above; null on a root bus. A VF has its PF's. */
  readonly parent: PciAddress | null;
  readonly header: 'endpoint' | 'bridge' | 'cardbus';
  readonly multifunction: boolean;
  readonly acs: boolean;
  /** PCIe-to-PCI bridge: everything below it has its requester id, and ACS never applies to it. */
  readonly conventionalBelow: boolean;
  readonly realDmaDevice: PciAddress | null;
  readonly dmaAliases: readonly PciAddress[];
}

/** The functions that exist now. */
export interface GroupingTree {
  find(address: PciAddress): GroupingFunction | undefined;
  /** Functions of the same slot (`0000:65:00`), the asked one among them, in order of function number. */
  slot(slot: string): readonly GroupingFunction[];
}

/** The group a function is in now; undefined: in none yet. */
export type GroupOf = (address: PciAddress) => number | undefined;

/** pci_acs_enabled() for SV|RR|CR|UF: whether this function keeps peers from reaching each other behind the IOMMU's back. */
function acsEnabled(fn: GroupingFunction): boolean {
  if (fn.conventionalBelow) return false;
  // Single-function endpoints and upstream ports have no peers that ACS could separate.
  return fn.header === 'bridge' ? fn.acs : !fn.multifunction || fn.acs;
}

/** pci_acs_path_enabled() from `start` up to the root bus. */
function acsPathEnabled(tree: GroupingTree, start: GroupingFunction): boolean {
  let fn: GroupingFunction | undefined = start;
  while (fn !== undefined) {
    if (!acsEnabled(fn)) return false;
    fn = parentOf(tree, fn);
  }
  return true;
}

function parentOf(tree: GroupingTree, fn: GroupingFunction): GroupingFunction | undefined {
  return fn.parent === null ? undefined : tree.find(fn.parent);
}

/** Where the search for peers starts: the topmost function whose requester id the DMA carries, or a group found on the way. */
function throughAliases(
  tree: GroupingTree,
  fn: GroupingFunction,
  groupOf: GroupOf,
): { readonly group: number } | { readonly from: GroupingFunction } {
  let from = fn;
  if (fn.realDmaDevice !== null) {
    const real = tree.find(fn.realDmaDevice);
    const group = groupOf(fn.realDmaDevice);
    if (group !== undefined) return { group };
    from = real ?? fn;
  }
  for (let up = parentOf(tree, from); up !== undefined; up = parentOf(tree, up)) {
    if (!up.conventionalBelow) continue;
    const group = groupOf(up.address);
    if (group !== undefined) return { group };
    from = up;
  }
  return { from };
}

/** get_pci_alias_group(): functions of one bus that use each other's requester ids. */
function aliasPeerGroup(tree: GroupingTree, fn: GroupingFunction, groupOf: GroupOf): number | null {
  for (const alias of fn.dmaAliases) {
    const group = groupOf(alias);
    if (group !== undefined) return group;
  }
  const busPrefix = fn.address.slice(0, fn.address.lastIndexOf(':') + 1);
  for (let slot = 0; slot < 32; slot++) {
    for (const other of tree.slot(`${busPrefix}${slot.toString(16).padStart(2, '0')}`)) {
      if (!other.dmaAliases.includes(fn.address)) continue;
      const group = groupOf(other.address);
      if (group !== undefined) return group;
    }
  }
  return null;
}

/** get_pci_function_alias_group(): functions of the slot that ACS does not separate. */
function slotPeerGroup(tree: GroupingTree, fn: GroupingFunction, groupOf: GroupOf): number | null {
  if (!fn.multifunction || acsEnabled(fn)) return null;
  for (const peer of tree.slot(slotOf(fn.address))) {
    if (peer.address === fn.address || acsEnabled(peer)) continue;
    const group = groupOf(peer.address);
    if (group !== undefined) return group;
  }
  return null;
}

/** The existing group that `fn` has to join; null: it gets one of its own. */
export function groupToJoin(
  tree: GroupingTree,
  fn: GroupingFunction,
  groupOf: GroupOf,
): number | null {
  const reached = throughAliases(tree, fn, groupOf);
  if ('group' in reached) return reached.group;
  let from = reached.from;
  for (let up = parentOf(tree, from); up !== undefined; up = parentOf(tree, up)) {
    if (acsPathEnabled(tree, up)) break;
    from = up;
    const group = groupOf(up.address);
    if (group !== undefined) return group;
  }
  return aliasPeerGroup(tree, from, groupOf) ?? slotPeerGroup(tree, from, groupOf);
}

/** The number a new group gets: the lowest that is free (ida_alloc). */
export function lowestFreeNumber(taken: ReadonlySet<number>): number {
  let number = 0;
  while (taken.has(number)) number += 1;
  return number;
}

/** Functions in the order the kernel finds them: all of a bus, then below each of its bridges; bus numbers follow that order. */
export function enumerationOrder<Fn extends { readonly address: PciAddress }>(
  functions: readonly Fn[],
): readonly Fn[] {
  const rank = (address: PciAddress): readonly [number, number] => {
    const { domain, bus } = addressParts(address);
    return [domain, bus];
  };
  return [...functions].sort((a, b) => {
    const [domainA, busA] = rank(a.address);
    const [domainB, busB] = rank(b.address);
    return domainA - domainB || busA - busB || comparePciAddresses(a.address, b.address);
  });
}

/** A tree over a fixed list of functions. */
export function treeOf(functions: readonly GroupingFunction[]): GroupingTree {
  const byAddress = new Map(functions.map((fn) => [fn.address, fn]));
  const bySlot = new Map<string, GroupingFunction[]>();
  for (const fn of functions) {
    const slot = slotOf(fn.address);
    const peers = bySlot.get(slot);
    if (peers === undefined) bySlot.set(slot, [fn]);
    else peers.push(fn);
  }
  for (const peers of bySlot.values()) {
    peers.sort((a, b) => comparePciAddresses(a.address, b.address));
  }
  return { find: (address) => byAddress.get(address), slot: (slot) => bySlot.get(slot) ?? [] };
}

/**
 * The groups at boot. A function with a `fixed` number has it, whatever the algorithm says (an export of a
 * live machine); the others are grouped in enumeration order. `taken`: numbers used by other buses.
 */
export function groupsAtBoot(
  functions: readonly GroupingFunction[],
  fixed: (address: PciAddress) => number | null,
  taken: Iterable<number> = [],
): ReadonlyMap<PciAddress, number> {
  const tree = treeOf(functions);
  const groups = new Map<PciAddress, number>();
  const used = new Set<number>(taken);
  for (const fn of functions) {
    const number = fixed(fn.address);
    if (number === null) continue;
    groups.set(fn.address, number);
    used.add(number);
  }
  for (const fn of enumerationOrder(functions)) {
    if (groups.has(fn.address)) continue;
    const number =
      groupToJoin(tree, fn, (address) => groups.get(address)) ?? lowestFreeNumber(used);
    groups.set(fn.address, number);
    used.add(number);
  }
  return groups;
}

/** Addresses of VFs of a PF (pci_iov_virtfn_bus, pci_iov_virtfn_devfn): routing id + offset + n × stride. */
export function vfAddress(
  pf: PciAddress,
  sriov: { readonly vfOffset: number; readonly vfStride: number },
  index: number,
): PciAddress {
  const { domain, bus, slot, fn } = addressParts(pf);
  const id = bus * 256 + slot * 8 + fn + sriov.vfOffset + index * sriov.vfStride;
  const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
  const devfn = id % 256;
  return `${hex(domain, 4)}:${hex(Math.floor(id / 256) % 256, 2)}:${hex(devfn >> 3, 2)}.${devfn & 7}` as PciAddress;
}
