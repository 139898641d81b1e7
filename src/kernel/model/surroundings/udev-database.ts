// /run/udev/data: what udev has found out about block devices; its content signatures are how members of
// inactive volume groups, arrays and pools are known.
import type { Machine } from '../machine.ts';
import { listing, textFile } from '../tree.ts';
import type { VDir } from '../vfs.ts';
import { blocksOf, type BlockNow } from './block-names.ts';

/** ID_FS_USAGE by type (util-linux libblkid): who would use it. */
function usageOf(type: string): string {
  if (/_member$|^crypto_LUKS$|^bcache$/.test(type))
    return type === 'crypto_LUKS' ? 'crypto' : 'raid';
  return type === 'swap' ? 'other' : 'filesystem';
}

function recordOf({ block, partition, child }: BlockNow): string {
  const lines = [
    ...[`S:disk/by-path/pci-${child.function?.address ?? 'virtual'}-${block.name}`, 'I:2741356'],
    `E:DEVTYPE=${partition ? 'partition' : 'disk'}`,
  ];
  if (block.contents !== null) {
    lines.push(`E:ID_FS_TYPE=${block.contents}`, `E:ID_FS_USAGE=${usageOf(block.contents)}`);
  }
  if (block.partitions.length > 0) lines.push('E:ID_PART_TABLE_TYPE=gpt');
  return `${[...lines, 'G:systemd', 'Q:systemd', 'V:1'].join('\n')}\n`;
}

/** The folder: `bMAJOR:MINOR` for each block device that exists now. */
export function udevDatabase(machine: Machine): VDir {
  const find = (name: string): BlockNow | undefined =>
    blocksOf(machine).find(({ block }) => `b${block.devno}` === name);
  return listing(
    () => blocksOf(machine).map(({ block }) => `b${block.devno}`),
    (name) => {
      const now = find(name);
      return now === undefined ? null : textFile(() => recordOf(now));
    },
  );
}
