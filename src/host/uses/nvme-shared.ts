// NVMe disks that are reached through several controllers: taking one controller takes a path from the others.
import type { HostUse } from '../../ownership/use.ts';
import { type UseContext, usesOf } from '../survey/context.ts';
import { nvmeHeads } from '../survey/nvme.ts';

/** NvmeMultipathShared. Heads that cannot be read are told with the block devices. */
export async function nvmeSharedUses(context: UseContext): Promise<readonly HostUse[]> {
  const { heads } = await nvmeHeads(context);
  return heads
    .filter((head) => head.controllers.length > 1)
    .flatMap((head) =>
      usesOf(
        'NvmeMultipathShared',
        head.targets,
        `${head.name} through ${head.controllers.join(', ')}`,
        {
          path: head.path,
          says: head.controllers.join(' '),
        },
      ),
    );
}
