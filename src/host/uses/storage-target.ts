// Disks that this node exports to others: LIO and nvmet hold them in the kernel, no process and no mount shows it.
import type { Unknown } from '../../base/known.ts';
import type { HostUse } from '../../ownership/use.ts';
import { isAbsent } from '../reading.ts';
import { findDevice } from '../survey/blocks.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';

const configfs = '/sys/kernel/config';

/** Files that name an exported device, one star for each level of folders. */
const exported = [
  `${configfs}/target/core/*/*/udev_path`,
  `${configfs}/nvmet/subsystems/*/namespaces/*/device_path`,
];

/** StorageTargetExport. */
export async function storageTargetUses(context: UseContext): Promise<readonly HostUse[]> {
  const blocks = await context.blocks();
  const owners = [...new Set(blocks.concerned.flatMap((device) => device.targets))];
  if (owners.length === 0) return [];
  const found: HostUse[] = [];
  for (const pattern of exported) {
    const problems: Unknown[] = [];
    for (const path of await expand(context, pattern, problems)) {
      const text = await context.text(path);
      if (!text.known) {
        if (!isAbsent(text) && text.why !== 'ENOTDIR') problems.push(text);
        continue;
      }
      const says = text.value.trim();
      const device = says.startsWith('/dev/') ? findDevice(blocks, says) : undefined;
      if (device === undefined) continue;
      found.push(
        ...usesOf('StorageTargetExport', device.targets, `${device.name} exported`, { path, says }),
      );
    }
    found.push(...unknownUses(owners, 'exported disks', problems));
  }
  return found;
}

async function expand(
  context: UseContext,
  pattern: string,
  problems: Unknown[],
): Promise<readonly string[]> {
  const [before = '', ...rest] = pattern.split('/*');
  let paths = [before];
  for (const tail of rest) {
    const next: string[] = [];
    for (const path of paths) {
      const names = await context.names(path);
      if (names.known) next.push(...names.value.map((name) => `${path}/${name}${tail}`));
      else if (!isAbsent(names) && names.why !== 'ENOTDIR') problems.push(names);
    }
    paths = next;
  }
  return paths;
}
