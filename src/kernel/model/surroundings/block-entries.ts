// Files in the folder of a block device (block/genhd.c, drivers/md, drivers/block/loop.c), and the links
// between a device and those stacked on it.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { BlockSpec, StackedSpec } from '../spec.ts';
import { dir, union } from '../tree.ts';
import type { VDir, VNode } from '../vfs.ts';
import { attribute, attributes, linkTo } from './files.ts';
import { blockOf, blocksOf, type BlockNow } from './block-names.ts';

/** Links from `child`'s folder NAME/ to other block devices. */
function linksTo(
  machine: Machine,
  child: ChildDevice,
  folder: string,
  names: () => readonly string[],
): VDir {
  const node = (name: string): VNode | null => {
    const other = machine.children.get('block', name);
    return other === undefined ? null : linkTo(`${child.path}/${folder}`, other.path);
  };
  return {
    kind: 'dir',
    list: () => names().filter((name) => machine.children.get('block', name) !== undefined),
    child: (name) => (names().includes(name) ? node(name) : null),
  };
}

function stackedEntries(stacked: StackedSpec): Record<string, VNode> {
  const entries: Record<string, VNode> = {};
  if (stacked.dmName !== null || stacked.dmUuid !== null) {
    entries['dm'] = dir(
      attributes({ name: stacked.dmName ?? '', uuid: stacked.dmUuid ?? '', suspended: 0 }),
    );
  }
  if (stacked.mdState !== null) {
    entries['md'] = dir(
      attributes({ array_state: stacked.mdState, level: 'raid1', metadata_version: '1.2' }),
    );
  }
  if (stacked.backingFile !== null) {
    entries['loop'] = dir(
      attributes({ backing_file: stacked.backingFile, autoclear: 0, offset: 0 }),
    );
  }
  return entries;
}

/** A device with a bcache on it has a `bcache` folder. */
function bcacheEntries(block: BlockSpec): Record<string, VNode> {
  if (!block.holders.some((holder) => holder.startsWith('bcache'))) return {};
  return { bcache: dir(attributes({ state: 'clean', running: 1 })) };
}

function disk(now: BlockNow): Record<string, VNode> {
  const { name } = now.block;
  const usb = now.child.devpath.includes('/usb');
  const kind = attributes({
    removable: usb ? 1 : 0,
    hidden: 0,
    capability: 0,
    range: name.startsWith('nvme') ? 0 : 16,
    ext_range: 256,
  });
  return {
    ...kind,
    queue: dir(attributes({ rotational: name.startsWith('sd') ? 1 : 0, logical_block_size: 512 })),
  };
}

function partitionOf(now: BlockNow): Record<string, VNode> {
  const number = Number(/\d+$/.exec(now.block.name)?.[0] ?? 1);
  const parent = now.child.parent.kind === 'child' ? blockOf(now.child.parent) : null;
  const before = parent?.block.partitions.slice(0, number - 1) ?? [];
  const start = 2048 + before.reduce((sum, part) => sum + part.sectors, 0);
  return attributes({ partition: number, start });
}

/** All of a block device's own entries. */
export function blockEntries(machine: Machine): (child: ChildDevice) => VDir | null {
  return (child) => {
    const now = blockOf(child);
    if (now === null) return null;
    const { block } = now;
    const stacked = machine.spec.stacked.find((entry) => entry.name === block.name);
    const below = (): string[] =>
      blocksOf(machine)
        .filter((other) => other.block.holders.includes(block.name))
        .map((other) => other.block.name);
    const own = dir({
      size: attribute(() => block.sectors),
      ro: attribute(() => 0),
      holders: linksTo(machine, child, 'holders', () => block.holders),
      stat: attribute(() => Array.from({ length: 17 }, () => '       0').join(' ')),
      ...(now.partition ? partitionOf(now) : disk(now)),
      ...(now.partition ? {} : { slaves: linksTo(machine, child, 'slaves', below) }),
      ...(stacked === undefined ? {} : stackedEntries(stacked)),
      ...bcacheEntries(block),
    });
    return union(() => [own]);
  };
}
