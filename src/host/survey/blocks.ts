// Block devices and what is stacked on what: partitions, holders (device mapper, md, bcache), loop devices over a
// device, NVMe multipath heads over their paths. Answers which functions stand under a device, through all layers.
import { type Known, known } from '../../base/known.ts';
import type { PciFunction } from '../../pci/function.ts';
import { baseName, isAbsent, orAbsent } from '../reading.ts';
import { distinct, type LinkedDevice, type UseContext } from './context.ts';
import type { BlockDevice, BlockTable } from './tables.ts';
import { nvmeHeads } from './nvme.ts';

type Draft = Omit<BlockDevice, 'targets'> & { readonly device: LinkedDevice };
type Problem = BlockTable['problems'][number];

const folder = '/sys/class/block';

/** Reads all block devices. */
export async function surveyBlocks(context: UseContext): Promise<BlockTable> {
  const { devices, problems: unlinked } = await context.linked(folder);
  const problems: Problem[] = unlinked.map((problem) => ({ targets: context.targets, problem }));
  const drafts = new Map<string, Draft>();
  for (const draft of await Promise.all(
    devices.map((device) => readDevice(context, device, problems)),
  )) {
    if (draft !== null) drafts.set(draft.name, draft);
  }
  const heads = await nvmeHeads(context);
  problems.push(...heads.problems.map((problem) => ({ targets: context.targets, problem })));
  const above = edges(drafts);
  const standing = new Map<string, Set<PciFunction>>();
  for (const { name, device } of drafts.values()) spread(name, device.targets, above, standing);
  for (const { name, targets } of heads.heads) spread(name, targets, above, standing);
  const table = new Map<string, BlockDevice>();
  for (const [name, { device: _device, ...draft }] of drafts) {
    table.set(name, { ...draft, targets: distinct(standing.get(name) ?? []) });
  }
  const concerned = [...table.values()].filter((device) => device.targets.length > 0);
  concerned.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { devices: table, concerned, problems };
}

/** Reads one device; null when it is gone. */
async function readDevice(
  context: UseContext,
  device: LinkedDevice,
  problems: Problem[],
): Promise<Draft | null> {
  const { name, path } = device;
  const names = await context.names(path);
  if (!names.known) {
    if (!isAbsent(names)) problems.push({ targets: concernedBy(context, device), problem: names });
    return null;
  }
  const entries = new Set(names.value);
  const value = async <T>(read: Promise<Known<T>>, otherwise: T): Promise<T> => {
    const fact = orAbsent(await read, otherwise);
    if (fact.known) return fact.value;
    problems.push({ targets: concernedBy(context, device), problem: fact });
    return otherwise;
  };
  const line = (file: string): Promise<string> => value(context.text(`${path}/${file}`), '');
  const holders = entries.has('holders') ? await value(context.names(`${path}/holders`), []) : [];
  const devno = entries.has('dev') ? (await line('dev')).trim() : null;
  const dm = entries.has('dm');
  return {
    name,
    path,
    devno,
    holders,
    dmName: dm ? (await line('dm/name')).trim() : null,
    dmUuid: dm ? (await line('dm/uuid')).trim() : null,
    backingFile: entries.has('loop') ? (await line('loop/backing_file')).replace(/\n$/, '') : null,
    entries,
    device,
  };
}

/** A device on no function may be stacked on any: then all are concerned. */
function concernedBy(context: UseContext, device: LinkedDevice): readonly PciFunction[] {
  return device.targets.length > 0 || /\/pci[0-9a-f]/.test(device.place)
    ? device.targets
    : context.targets;
}

/** For each device, the devices directly above it. */
function edges(drafts: ReadonlyMap<string, Draft>): ReadonlyMap<string, readonly string[]> {
  const above = new Map<string, string[]>();
  const add = (below: string, name: string): void => {
    const there = above.get(below);
    if (there === undefined) above.set(below, [name]);
    else there.push(name);
  };
  for (const draft of drafts.values()) {
    for (const holder of draft.holders) add(draft.name, holder);
    // A partition's folder lies in its disk's.
    const parent = draft.device.place.split('/').at(-2) ?? '';
    if (drafts.has(parent)) add(parent, draft.name);
    if (draft.backingFile?.startsWith('/dev/') === true)
      add(nodeName(draft.backingFile), draft.name);
  }
  return above;
}

/** The kernel's name of the device behind /dev/NAME. */
function nodeName(devicePath: string): string {
  const inDev = devicePath.replace(/^.*\/dev\//, '').replace(/ \(deleted\)$/, '');
  return inDev.includes('mapper/') ? baseName(inDev) : inDev.replaceAll('/', '!');
}

function spread(
  name: string,
  targets: readonly PciFunction[],
  above: ReadonlyMap<string, readonly string[]>,
  standing: Map<string, Set<PciFunction>>,
): void {
  const open = [name];
  const seen = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (targets.length === 0 || seen.has(next)) continue;
    seen.add(next);
    const there = standing.get(next) ?? new Set<PciFunction>();
    for (const fn of targets) there.add(fn);
    standing.set(next, there);
    open.push(...(above.get(next) ?? []));
  }
}

/** The device that /dev/NAME, /dev/mapper/NAME or a kernel name stands for. */
export function findDevice(table: BlockTable, nameOrPath: string): BlockDevice | undefined {
  const name = nodeName(nameOrPath);
  const direct = table.devices.get(name);
  if (direct !== undefined) return direct;
  for (const device of table.devices.values()) if (device.dmName === name) return device;
  return undefined;
}

/** Text of an optional attribute of a device: null when it is not there. */
export async function optionalText(
  context: UseContext,
  path: string,
): Promise<Known<string | null>> {
  const text = await context.text(path);
  if (text.known) return known(text.value.trim());
  return isAbsent(text) ? known(null) : text;
}
