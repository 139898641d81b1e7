// Disks that nothing uses and that hold something all the same: whoever gets the device can read and overwrite it.
// Data that lies there keeps nothing from being released, so it is a caution and no blocker.
import type { KernelFs } from '../kernel/fs.ts';
import type { PciFunction } from '../pci/function.ts';
import { readBlocks } from './export/blocks.ts';
import { ExportReader } from './export/reader.ts';

/** Base class 01: mass storage. */
function isStorage(fn: PciFunction): boolean {
  return !fn.classCode.known || fn.classCode.value.startsWith('01');
}

/** One sentence for each disk below `functions` with partitions or a known content; reads only when there is storage. */
export async function diskCautions(
  kernel: KernelFs,
  functions: readonly PciFunction[],
): Promise<readonly string[]> {
  const storage = functions.filter(isStorage);
  if (storage.length === 0) return [];
  const { disks } = await readBlocks(new ExportReader(kernel, storage));
  const own = disks.filter(({ owner }) => storage.some(({ address }) => address === owner));
  return own.flatMap(({ owner, disk }) => {
    const known = [disk, ...disk.partitions].flatMap(({ name, contents }) =>
      contents === null ? [] : [`${contents} on ${name}`],
    );
    const parts = disk.partitions.length === 0 ? [] : [`${disk.partitions.length} partitions`];
    const holds = [...parts, ...known];
    if (holds.length === 0) return [];
    return [
      `${owner}: ${disk.name} is not in use but not empty (${holds.join(', ')}): a pod that gets it can read and overwrite that.`,
    ];
  });
}
