// The inventory of a node: every PCI function and every group, in one pass that takes no device lock. A device
// that goes away during the pass is left out; what cannot be listed is named.
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Unknown } from '../base/known.ts';
import type { KernelFs } from '../kernel/fs.ts';
import { comparePciAddresses, isPciAddress, type PciAddress } from '../pci/address.ts';
import type { PciFunction } from '../pci/function.ts';
import { defaultLeader, type IommuGroup, pciFunctions } from '../pci/group.ts';
import type { Inventory } from '../pci/inventory.ts';
import { concurrently } from './concurrently.ts';
import {
  devicesFolder,
  FolderNames,
  readFunction,
  type ReaderState,
  rereadAttributes,
  rereadCount,
} from './function-reader.ts';
import { assembleGroup, type GroupListing, groupsFolder, readGroup } from './group-reader.ts';
import type { KnownInventory } from './host.ts';
import { baseName, isAbsent, Pacer, readNames } from './reading.ts';

/** Functions read at once. */
const functionsAtOnce = 16;
/** Groups read at once: their locking attributes share messages to a lane, and the loop is not kept long. */
const groupsAtOnce = 64;

/** What one pass is made with. */
interface Pass {
  readonly kernel: KernelFs;
  readonly pacer: Pacer;
  readonly state: ReaderState;
}

/** One pass over the machine. */
export async function takeInventory(kernel: KernelFs, clock: Clock): Promise<Inventory> {
  const state = newState();
  const pacer = new Pacer(clock);
  // Begun first and awaited last: lanes answer about groups while this thread reads the functions.
  const listings = readGroups(kernel, pacer, state.unreadable);
  const functions = await readFunctions(kernel, pacer, state);
  const groups = await joinGroups({ kernel, pacer, state }, functions, {
    listings: await listings,
  });
  return assembled(functions, groups, state.unreadable);
}

function newState(): ReaderState {
  return { unreadable: [], folderNames: new FolderNames() };
}

/**
 * The part of an inventory in which `members` stand now: their groups, and every function of those. `before`: groups
 * as they were a little earlier, for what does not change while their members stay.
 */
export async function takePartialInventory(
  kernel: KernelFs,
  clock: Clock,
  members: readonly PciAddress[],
  before: readonly IommuGroup[] = [],
): Promise<Inventory> {
  const state = newState();
  const pacer = new Pacer(clock);
  const functions = new Map<PciAddress, PciFunction>();
  await addFunctions({ kernel, pacer, state }, { members, functions });
  // joinGroups reads every group that a function points to, and every function that such a group has.
  const groups = await joinGroups({ kernel, pacer, state }, functions, { before });
  return assembled(functions, groups, state.unreadable);
}

/**
 * `previous` with what is not to be taken from it. `isSame`: what this function is cannot have changed since it was read.
 * Asserts that nothing in it was unreadable.
 */
export async function refreshInventory(
  kernel: KernelFs,
  clock: Clock,
  known: KnownInventory,
  isSame: (fn: PciFunction) => boolean = () => false,
): Promise<Inventory> {
  const { previous, anew, again } = known;
  assert(previous.unreadable.length === 0, 'what was unreadable may be readable now');
  const asked = new Set<PciAddress>(anew);
  const touched = (group: IommuGroup): boolean =>
    pciFunctions(group).some((fn) => asked.has(fn.address));
  // A physical function lists its virtual ones, so it is another one when they come and go.
  const gone = previous.functions.filter((fn) => asked.has(fn.address));
  for (const address of physicalFunctionsOf(gone)) asked.add(address);
  const left = previous.groups.filter(touched);
  for (const fn of left.flatMap(pciFunctions)) asked.add(fn.address);
  const partial = await takePartialInventory(kernel, clock, [...asked], left);
  for (const { address } of partial.functions) asked.add(address);
  const more = physicalFunctionsOf(partial.functions).filter((address) => !asked.has(address));
  // Rare: a virtual function is new. Whatever stands in one group with its physical one is read with it.
  if (more.length > 0)
    return refreshInventory(kernel, clock, { ...known, anew: [...asked, ...more] }, isSame);
  const kept = previous.functions.filter((fn) => !asked.has(fn.address));
  const read = new Set(again);
  const functions = await rereadFunctions(kept, clock, async (fn) => {
    if (!read.has(fn.address)) return fn;
    return isSame(fn) ? rereadCount(kernel, fn) : rereadAttributes(kernel, fn);
  });
  for (const fn of partial.functions) functions.set(fn.address, fn);
  const groups = previous.groups
    .filter((group) => !touched(group))
    .map((group) => withFunctions(group, functions));
  return assembled(functions, [...groups, ...partial.groups], partial.unreadable);
}

function physicalFunctionsOf(functions: readonly PciFunction[]): readonly PciAddress[] {
  return functions.flatMap(({ physicalFunction: of }) =>
    of.known && of.value !== null ? [of.value] : [],
  );
}

async function rereadFunctions(
  functions: readonly PciFunction[],
  clock: Clock,
  reread: (fn: PciFunction) => Promise<PciFunction>,
): Promise<Map<PciAddress, PciFunction>> {
  const pacer = new Pacer(clock);
  const read = new Map<PciAddress, PciFunction>();
  for (const fn of functions) {
    read.set(fn.address, await reread(fn));
    if (pacer.due) await pacer.breathe();
  }
  return read;
}

function withFunctions(
  group: IommuGroup,
  functions: ReadonlyMap<PciAddress, PciFunction>,
): IommuGroup {
  const members = group.members.map((member) => {
    const fn = member.kind === 'pci' ? functions.get(member.fn.address) : undefined;
    return fn === undefined ? member : { kind: 'pci' as const, fn };
  });
  return { ...group, members };
}

function assembled(
  functions: ReadonlyMap<PciAddress, PciFunction>,
  groups: readonly IommuGroup[],
  unreadable: readonly { readonly path: string; readonly why: string }[],
): Inventory {
  return {
    functions: [...functions.values()].sort((a, b) => comparePciAddresses(a.address, b.address)),
    groups: groups.toSorted(compareGroups),
    unreadable: unreadable.map(({ path, why }) => ({ path, why })),
  };
}

async function readFunctions(
  kernel: KernelFs,
  pacer: Pacer,
  state: ReaderState,
): Promise<Map<PciAddress, PciFunction>> {
  const { unreadable } = state;
  const functions = new Map<PciAddress, PciFunction>();
  const names = await readNames(kernel, devicesFolder);
  if (!names.known) {
    unreadable.push(names);
    return functions;
  }
  const members = names.value.filter(isPciAddress);
  for (const name of names.value) {
    if (isPciAddress(name)) continue;
    const path = `${devicesFolder}/${name}`;
    unreadable.push({ known: false, path, why: 'is not a PCI address' });
  }
  await addFunctions({ kernel, pacer, state }, { members, functions });
  return functions;
}

/** Reads `members` into `functions`, in their order. */
async function addFunctions(
  { kernel, pacer, state }: Pass,
  to: { readonly members: readonly PciAddress[]; readonly functions: Map<PciAddress, PciFunction> },
): Promise<void> {
  const { members, functions } = to;
  const read = await concurrently(members, functionsAtOnce, async (address) => {
    if (pacer.due) await pacer.breathe();
    return readFunction(kernel, address, state);
  });
  for (const fn of read) if (fn !== null) functions.set(fn.address, fn);
}

async function readGroups(
  kernel: KernelFs,
  pacer: Pacer,
  unreadable: Unknown[],
): Promise<readonly GroupListing[]> {
  const names = await readNames(kernel, groupsFolder);
  if (!names.known) {
    // The folder is there whenever the kernel can have an IOMMU at all (CONFIG_IOMMU_API).
    if (!isAbsent(names)) unreadable.push(names);
    return [];
  }
  const numbers = names.value.filter((name) => /^\d{1,9}$/.test(name)).map(Number);
  const found: GroupListing[] = [];
  for (let at = 0; at < numbers.length; at += groupsAtOnce) {
    const some = numbers.slice(at, at + groupsAtOnce);
    const read = await Promise.all(some.map((number) => readGroup(kernel, number, unreadable)));
    found.push(...read.filter((listing) => listing !== null));
    if (pacer.due) await pacer.breathe();
  }
  return found;
}

async function joinGroups(
  { kernel, pacer, state }: Pass,
  functions: Map<PciAddress, PciFunction>,
  from: { readonly listings?: readonly GroupListing[]; readonly before?: readonly IommuGroup[] },
): Promise<IommuGroup[]> {
  const { unreadable } = state;
  const { listings = [] } = from;
  const before = new Map(from.before?.map((group) => [group.number, group]));
  // A group may have come since the groups were listed, a member since the functions were.
  const complete = [...listings];
  const listed = new Set(listings.map((listing) => listing.number));
  const late = [...pointingByGroup(functions).keys()].filter((number) => !listed.has(number));
  for (let at = 0; at < late.length; at += groupsAtOnce) {
    const read = await Promise.all(
      late
        .slice(at, at + groupsAtOnce)
        .map((number) => readGroup(kernel, number, unreadable, before.get(number))),
    );
    complete.push(...read.filter((listing) => listing !== null));
  }
  const known = new Set(unreadable.map((fact) => fact.path));
  const members = complete
    .flatMap((listing) => listing.memberNames)
    .filter((name) => isPciAddress(name))
    .filter((name) => !functions.has(name) && !known.has(`${devicesFolder}/${name}`));
  await addFunctions({ kernel, pacer, state }, { members: [...new Set(members)], functions });
  const pointing = pointingByGroup(functions);
  const broken = new Map(unreadable.map((fact) => [baseName(fact.path), fact]));
  return complete
    .map((listing) => assembleGroup(listing, { functions, pointing, unreadable: broken }))
    .filter((group) => group.members.length > 0);
}

function pointingByGroup(
  functions: ReadonlyMap<PciAddress, PciFunction>,
): ReadonlyMap<number, readonly PciFunction[]> {
  const none = -1;
  const pointing = Map.groupBy(functions.values(), (fn) =>
    fn.groupNumber.known ? (fn.groupNumber.value ?? none) : none,
  );
  pointing.delete(none);
  return pointing;
}

/** By leader; groups without a PCI function last, by key. */
function compareGroups(a: IommuGroup, b: IommuGroup): number {
  const left = defaultLeader(a);
  const right = defaultLeader(b);
  if (left !== null && right !== null && left !== right) return comparePciAddresses(left, right);
  if (left === null && right === null) return a.key < b.key ? -1 : 1;
  return left === null ? 1 : -1;
}
