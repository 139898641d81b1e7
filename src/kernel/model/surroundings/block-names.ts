// Where a disk name of the machine is found and how user space calls it.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { BlockSpec } from '../spec.ts';

/** A block device that exists now. */
export interface BlockNow {
  readonly child: ChildDevice;
  readonly block: BlockSpec;
  readonly partition: boolean;
}

/** The facts of a child when it is a block device. */
export function blockOf(child: ChildDevice): BlockNow | null {
  const { facts } = child;
  return facts.kind === 'block' ? { child, block: facts.block, partition: facts.partition } : null;
}

/** Every block device that exists now. */
export function blocksOf(machine: Machine): readonly BlockNow[] {
  return machine.children
    .of('block')
    .map(blockOf)
    .filter((found) => found !== null);
}

/** Whether `name` is a disk, partition or stacked device of the machine, now or as it booted. */
export function isBlockName(machine: Machine, name: string): boolean {
  return (
    machine.children.get('block', name) !== undefined ||
    machine.spec.stacked.some((stacked) => stacked.name === name) ||
    machine.spec.devices.some((device) =>
      device.children.block.some(
        (disk) => disk.name === name || disk.partitions.some((part) => part.name === name),
      ),
    )
  );
}

/** The path that user space mounts a source by: /dev/NAME, /dev/mapper/NAME for device mapper, other texts as they are. */
export function sourcePath(machine: Machine, source: string): string {
  const stacked = machine.spec.stacked.find((entry) => entry.name === source);
  if (stacked?.dmName !== null && stacked?.dmName !== undefined)
    return `/dev/mapper/${stacked.dmName}`;
  return isBlockName(machine, source) ? `/dev/${source}` : source;
}
