// Block devices: a disk with its backing-device-info and its partitions (block/genhd.c).
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { addChild, removeChild, virtualParent } from '../operations/children.ts';
import type { BlockSpec } from '../spec.ts';

/** True while user space still has something on this disk: the kernel keeps its number then. */
function stillHeld(machine: Machine, block: BlockSpec): boolean {
  const names = new Set([block.name, ...block.partitions.map(({ name }) => name)]);
  const { mounts, swaps } = machine.host;
  if (swaps.some((name) => names.has(name))) return true;
  return mounts.some((mount) => names.has(mount.source.replace(/^\/dev\//, '')));
}

/** The next free namespace name (`nvme0n2`): the old one is still referred to. */
function nextName(block: BlockSpec): BlockSpec {
  const match = /^(.*n)(\d+)$/.exec(block.name);
  if (match === null) return block;
  const name = `${match[1]}${Number(match[2]) + 1}`;
  const partitions = block.partitions.map((part) => ({
    ...part,
    name: part.name.replace(block.name, name),
  }));
  return { ...block, name, partitions };
}

/** How a disk is made: `between` runs after its bdi and before its own event. */
export interface DiskMaking {
  readonly quiet: boolean;
  readonly between?: (() => void) | undefined;
}

/** Makes a disk. */
export function addDisk(
  machine: Machine,
  parent: PciDevice | ChildDevice,
  given: BlockSpec,
  { quiet, between }: DiskMaking,
): ChildDevice {
  // Holders (LVM, md) come back only when someone assembles them again.
  const fresh = quiet
    ? given
    : { ...(stillHeld(machine, given) ? nextName(given) : given), holders: [] };
  const disk = addBlock(machine, parent, fresh, { partition: false, quiet: true });
  addChild(machine, { name: fresh.devno, subsystem: 'bdi', parent: virtualParent() }, quiet);
  between?.();
  if (!quiet) announce(machine, disk);
  for (const part of fresh.partitions) {
    addBlock(machine, disk, quiet ? part : { ...part, holders: [] }, { partition: true, quiet });
  }
  return disk;
}

function announce(machine: Machine, disk: ChildDevice): void {
  machine.uevents.emit('add', disk.devpath, [
    ['SUBSYSTEM', 'block'],
    ['MAJOR', disk.devno?.split(':')[0] ?? '0'],
    ['MINOR', disk.devno?.split(':')[1] ?? '0'],
    ['DEVNAME', disk.name],
    ['DEVTYPE', 'disk'],
  ]);
}

function addBlock(
  machine: Machine,
  parent: PciDevice | ChildDevice,
  block: BlockSpec,
  how: { readonly partition: boolean; readonly quiet: boolean },
): ChildDevice {
  return addChild(
    machine,
    {
      name: block.name,
      subsystem: 'block',
      parent,
      devname: block.name,
      devno: block.devno,
      devtype: how.partition ? 'partition' : 'disk',
      facts: { kind: 'block', block, partition: how.partition },
    },
    how.quiet,
  );
}

/** Takes a disk away: partitions, then its bdi, then itself. Mounts and swap on it stay where they are. */
export function removeDisk(machine: Machine, disk: ChildDevice): void {
  for (const part of [...disk.children]) removeChild(machine, part);
  const bdi = machine.children.get('bdi', disk.devno ?? '');
  if (bdi !== undefined) removeChild(machine, bdi);
  removeChild(machine, disk);
}
