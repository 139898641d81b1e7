// Loop devices whose backing is a function's disk itself, by its node or by a bind mount of the node (which is how
// the kubelet holds raw block volumes). A loop over a file is a use of the mounted file system and found there.
import type { HostUse } from '../../ownership/use.ts';
import { findDevice } from '../survey/blocks.ts';
import { type UseContext, usesOf } from '../survey/context.ts';

/** LoopBacking. */
export async function loopUses(context: UseContext): Promise<readonly HostUse[]> {
  const blocks = await context.blocks();
  const { mounts } = await context.mounts();
  const found: HostUse[] = [];
  for (const loop of blocks.devices.values()) {
    const backing = loop.backingFile;
    if (backing === null) continue;
    const node = mounts.find((mount) => mount.fsType === 'devtmpfs' && mount.target === backing);
    const behind = node === undefined ? backing : `/dev${node.root}`;
    const device = behind.startsWith('/dev/') ? findDevice(blocks, behind) : undefined;
    if (device === undefined) continue;
    const evidence = { path: `${loop.path}/loop/backing_file`, says: backing };
    found.push(
      ...usesOf('LoopBacking', device.targets, `${device.name} behind ${loop.name}`, evidence),
    );
  }
  return found;
}
