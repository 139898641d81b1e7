// Swap on a function's disks. A swap file is on a mounted file system and is found there.
import { unknown } from '../../base/known.ts';
import type { HostUse } from '../../ownership/use.ts';
import { isAbsent, shown } from '../reading.ts';
import { findDevice } from '../survey/blocks.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { unescaped } from '../survey/mounts.ts';

const path = '/proc/swaps';

/** SwapActive. */
export async function swapUses(context: UseContext): Promise<readonly HostUse[]> {
  const blocks = await context.blocks();
  const owners = [...new Set(blocks.concerned.flatMap((device) => device.targets))];
  const text = await context.text(path);
  // Absent: a kernel without swap.
  if (!text.known) return isAbsent(text) ? [] : unknownUses(owners, 'swap', [text]);
  const [head, ...lines] = text.value.split('\n');
  if (head?.startsWith('Filename') !== true) {
    return unknownUses(owners, 'swap', [
      unknown(path, `begins with ${shown(head ?? '')} instead of Filename`),
    ]);
  }
  const found: HostUse[] = [];
  for (const line of lines) {
    if (line === '') continue;
    const match = /^(\S+)\s+(partition|file)\s+\d+/.exec(line);
    if (match === null) {
      found.push(...unknownUses(owners, 'swap', [unknown(path, `has the line ${shown(line)}`)]));
      continue;
    }
    if (match[2] === 'file') continue;
    const name = unescaped(match[1] ?? '');
    const device = name.endsWith(' (deleted)') ? undefined : findDevice(blocks, name);
    if (device !== undefined) {
      found.push(
        ...usesOf('SwapActive', device.targets, `${device.name} is swap`, { path, says: line }),
      );
    } else {
      // The device went away while it was swap: whose it was cannot be told any more.
      found.push(
        ...unknownUses(owners, `swap on ${name}`, [unknown(path, 'names no device that is there')]),
      );
    }
  }
  return found;
}
