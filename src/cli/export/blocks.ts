// Disks of a machine for its export: what hangs on functions, what is stacked on it, what is mounted, swapped on and
// exported. Device-mapper uuids are masked; nothing of a disk's contents is read but what udev knows of it.
import type { BlockSpec, StackedSpec } from '../../kernel/model/spec-children.ts';
import type { MachineSpec, MountSpec } from '../../kernel/model/spec.ts';
import { findDevice } from '../../host/survey/blocks.ts';
import { unescaped } from '../../host/survey/mounts.ts';
import { nvmeHeads } from '../../host/survey/nvme.ts';
import type { BlockDevice, BlockTable, Mount } from '../../host/survey/tables.ts';
import type { PciAddress } from '../../pci/address.ts';
import { maskedUuid } from './mask.ts';
import type { ExportReader, Placed } from './reader.ts';

/** A disk and where it hangs. */
export interface ExportedDisk {
  /** For the head of a multipath subsystem: its first controller's function. */
  readonly owner: PciAddress;
  readonly place: string;
  readonly disk: BlockSpec;
}

/** All disks, and what stands on them. */
export interface ExportedBlocks {
  readonly disks: readonly ExportedDisk[];
  /** Subsystem names by function, for controllers whose disks are those of a multipath subsystem. */
  readonly subsystems: ReadonlyMap<PciAddress, string>;
  readonly stacked: readonly StackedSpec[];
  readonly mounts: readonly MountSpec[];
  readonly swaps: readonly string[];
  readonly storageTargets: MachineSpec['storageTargets'];
  /** A process for each mount namespace besides the host's that has mounts above. */
  readonly namespaces: readonly { readonly name: string; readonly pid: number }[];
}

/** Hidden path devices of multipath (`nvme0c1n1`) are made by the controller itself. */
const pathDevice = /^nvme\d+c\d+n\d+/;

interface Reading {
  readonly reader: ExportReader;
  readonly table: BlockTable;
  /** Virtual devices that stand on exported disks. */
  readonly above: ReadonlySet<string>;
}

async function blockSpec(
  { reader, table, above }: Reading,
  name: string,
  partitions: readonly BlockSpec[],
): Promise<BlockSpec> {
  const device = table.devices.get(name);
  const folder = `/sys/class/block/${name}`;
  const devno = device?.devno ?? '0:0';
  const udev = (await reader.text(`/run/udev/data/b${devno}`)) ?? '';
  return {
    name,
    sectors: Number((await reader.text(`${folder}/size`)) ?? 0),
    devno,
    partitions,
    contents: /^E:ID_FS_TYPE=(\S+)$/m.exec(udev)?.[1] ?? null,
    holders: (device?.holders ?? []).filter((holder) => above.has(holder)),
  };
}

/** A disk with its partitions, whose folders lie in its own. */
async function diskSpec(
  reading: Reading,
  disk: Placed,
  all: readonly Placed[],
): Promise<BlockSpec> {
  const partitions: BlockSpec[] = [];
  for (const part of all) {
    if (part.place.split('/').at(-2) === disk.name)
      partitions.push(await blockSpec(reading, part.name, []));
  }
  return blockSpec(reading, disk.name, partitions);
}

/** Names of virtual devices that stand on any of `below`: through holders, and loops over device nodes. */
function standingOn(below: readonly string[], table: BlockTable): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...below];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const loops = [...table.devices.values()].filter(
      ({ backingFile }) =>
        backingFile?.startsWith('/dev/') === true && findDevice(table, backingFile)?.name === name,
    );
    for (const upper of [
      ...(table.devices.get(name)?.holders ?? []),
      ...loops.map((loop) => loop.name),
    ]) {
      if (found.has(upper) || !table.devices.has(upper)) continue;
      found.add(upper);
      open.push(upper);
    }
  }
  return found;
}

/** Disks below functions and heads of multipath subsystems, without partitions and paths. */
async function findDisks(
  reader: ExportReader,
  all: readonly Placed[],
): Promise<{
  readonly found: readonly { at: Placed; owner: PciAddress }[];
  readonly subsystems: Map<PciAddress, string>;
}> {
  const names = new Set(all.map(({ name }) => name));
  const isPart = ({ place }: Placed): boolean => names.has(place.split('/').at(-2) ?? '');
  const found = all.flatMap((at) =>
    at.owner === null || isPart(at) || pathDevice.test(at.name) ? [] : [{ at, owner: at.owner }],
  );
  const controllers = new Map(
    (await reader.placed('/sys/class/nvme')).map((each) => [each.name, each.owner]),
  );
  const subsystems = new Map<PciAddress, string>();
  const { heads, problems } = await nvmeHeads(reader.survey);
  reader.note(problems);
  for (const head of heads) {
    const owners = head.controllers
      .map((name) => controllers.get(name) ?? null)
      .filter((each) => each !== null);
    for (const owner of owners)
      subsystems.set(owner, head.path.slice(head.path.lastIndexOf('/') + 1));
    const at = all.find(({ name }) => name === head.name);
    const [owner] = owners;
    if (at !== undefined && owner !== undefined && at.owner === null) found.push({ at, owner });
  }
  return { found, subsystems };
}

/** Reads all of it. */
export async function readBlocks(reader: ExportReader): Promise<ExportedBlocks> {
  const table = await reader.survey.blocks();
  reader.note(table.problems.map(({ problem }) => problem));
  const all = await reader.placed('/sys/class/block');
  const { found, subsystems } = await findDisks(reader, all);
  const disks = new Set(found.map(({ at }) => at.name));
  const below = all.filter(
    ({ name, place }) => disks.has(name) || disks.has(place.split('/').at(-2) ?? ''),
  );
  const above = standingOn(
    below.map(({ name }) => name),
    table,
  );
  const reading: Reading = { reader, table, above };
  const exported: ExportedDisk[] = [];
  for (const { at, owner } of found)
    exported.push({ owner, place: at.place, disk: await diskSpec(reading, at, all) });
  const names = new Set([...below.map(({ name }) => name), ...above]);
  const { mounts, namespaces } = await readMounts(reading, names);
  return {
    ...{ disks: exported, subsystems, mounts, namespaces },
    stacked: await readStacked(reading),
    swaps: await readSwaps(reading, names),
    storageTargets: await readTargets(reading, names),
  };
}

async function readStacked({ reader, table, above }: Reading): Promise<readonly StackedSpec[]> {
  const stacked: StackedSpec[] = [];
  for (const name of [...above].sort()) {
    const device = table.devices.get(name);
    if (device === undefined) continue;
    const uuid = device.dmUuid ?? '';
    stacked.push({
      name,
      devno: device.devno ?? '0:0',
      dmUuid: uuid === '' ? null : maskedUuid(uuid, stacked.length + 1),
      dmName: device.dmName === '' ? null : device.dmName,
      mdState: device.entries.has('md')
        ? await reader.text(`/sys/class/block/${name}/md/array_state`)
        : null,
      backingFile: device.backingFile,
      holders: device.holders.filter((holder) => above.has(holder)),
    });
  }
  return stacked;
}

/** The exported device that a mount is of, by number or by source. */
function mountedDevice(
  mount: Mount,
  table: BlockTable,
  names: ReadonlySet<string>,
): BlockDevice | null {
  const byNumber = [...table.devices.values()].find(({ devno }) => devno === mount.devno);
  const device =
    byNumber ?? (mount.source.startsWith('/dev/') ? findDevice(table, mount.source) : undefined);
  return device !== undefined && names.has(device.name) ? device : null;
}

async function readMounts(
  { reader, table }: Reading,
  names: ReadonlySet<string>,
): Promise<Pick<ExportedBlocks, 'mounts' | 'namespaces'>> {
  const { mounts, problems } = await reader.survey.mounts();
  reader.note(problems);
  const seen = new Set<string>();
  // Where pid 1's own mounts may not be read, those of the first process that shows any stand for them.
  const first = mounts.some(({ host }) => host) ? null : (mounts[0]?.path ?? null);
  const ofHost = (mount: Mount): boolean => mount.host || mount.path === first;
  const found: MountSpec[] = [];
  const namespaces = new Map<string, { readonly name: string; readonly pid: number }>();
  for (const mount of [...mounts].sort((a, b) => Number(ofHost(b)) - Number(ofHost(a)))) {
    const device = mount.fsType === 'devtmpfs' ? null : mountedDevice(mount, table, names);
    // A pod's view of what the host has mounted as well says nothing new.
    if (device === null || (!ofHost(mount) && seen.has(device.name))) continue;
    seen.add(device.name);
    if (!ofHost(mount) && !namespaces.has(mount.path)) {
      const pid = Number(/^\/proc\/(\d+)\//.exec(mount.path)?.[1] ?? 2);
      namespaces.set(mount.path, { name: `pod-${namespaces.size + 1}`, pid });
    }
    found.push({
      namespace: namespaces.get(mount.path)?.name ?? 'host',
      source: device.name,
      devno: mount.devno,
      target: mount.target,
      fsType: mount.fsType,
    });
  }
  return { mounts: found, namespaces: [...namespaces.values()] };
}

async function readSwaps(
  { reader, table }: Reading,
  names: ReadonlySet<string>,
): Promise<readonly string[]> {
  const lines = ((await reader.text('/proc/swaps')) ?? '').split('\n').slice(1);
  return lines.flatMap((line) => {
    const path = /^(\S+)\s+partition\s/.exec(line)?.[1];
    const device = path === undefined ? undefined : findDevice(table, unescaped(path));
    return device !== undefined && names.has(device.name) ? [device.name] : [];
  });
}

/** Files of configfs that name an exported disk, one star for each level. */
const targets = [
  { kind: 'lio', pattern: '/sys/kernel/config/target/core/*/*/udev_path' },
  { kind: 'nvmet', pattern: '/sys/kernel/config/nvmet/subsystems/*/namespaces/*/device_path' },
] as const;

async function readTargets(
  { reader, table }: Reading,
  names: ReadonlySet<string>,
): Promise<MachineSpec['storageTargets']> {
  const found: { kind: 'lio' | 'nvmet'; device: string }[] = [];
  for (const { kind, pattern } of targets) {
    const [before = '', ...rest] = pattern.split('/*');
    let paths = [before];
    for (const tail of rest) {
      const next: string[] = [];
      for (const path of paths)
        next.push(...(await listed(reader, path)).map((name) => `${path}/${name}${tail}`));
      paths = next;
    }
    for (const path of paths) {
      const text = await reader.survey.text(path);
      const device =
        text.known && text.value.startsWith('/dev/')
          ? findDevice(table, text.value.trim())
          : undefined;
      if (device !== undefined && names.has(device.name)) found.push({ kind, device: device.name });
    }
  }
  return found;
}

/** Folders of configfs lie beside plain files: those have nothing in them. */
async function listed(reader: ExportReader, path: string): Promise<readonly string[]> {
  const names = await reader.survey.names(path);
  return names.known ? names.value : [];
}
