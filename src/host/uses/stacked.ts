// Devices that hold a function's disks: LVM and other device-mapper tables, md arrays, bcache. Data that merely
// lies there (an inactive volume group, a member of a stopped array) has no holder and is no use.
import type { HostUse, HostUseKind } from '../../ownership/use.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { optionalText } from '../survey/blocks.ts';
import type { BlockDevice, BlockTable } from '../survey/tables.ts';

/** VolumeGroupActive, RaidArrayActive, DeviceMapperActive, BcacheActive, and BlockDeviceOpen for other holders. */
export async function stackedUses(context: UseContext): Promise<readonly HostUse[]> {
  const blocks = await context.blocks();
  const found: HostUse[] = [];
  for (const { targets, problem } of blocks.problems) {
    found.push(...unknownUses(targets, 'block devices', [problem]));
  }
  for (const device of blocks.concerned) {
    for (const holder of device.holders)
      found.push(...(await holderUses(context, device, holder, blocks)));
    if (device.entries.has('bcache')) {
      const path = `${device.path}/bcache`;
      found.push(
        ...usesOf('BcacheActive', device.targets, `${device.name} in bcache`, {
          path,
          says: 'registered',
        }),
      );
    }
  }
  return found;
}

async function holderUses(
  context: UseContext,
  device: BlockDevice,
  name: string,
  blocks: BlockTable,
): Promise<readonly HostUse[]> {
  const holder = blocks.devices.get(name);
  const path = `${device.path}/holders/${name}`;
  if (holder?.entries.has('md') === true || /^md\d/.test(name)) {
    const state = await optionalText(context, `/sys/class/block/${name}/md/array_state`);
    const says = state.known ? `array_state ${state.value ?? 'absent'}` : state.why;
    return usesOf('RaidArrayActive', device.targets, `${device.name} in ${name}`, { path, says });
  }
  const kind = kindOf(holder, name);
  const called = holder?.dmName ?? name;
  const says = holder?.dmUuid ?? name;
  return usesOf(kind, device.targets, `${device.name} under ${called}`, { path, says });
}

/** Device mapper tells by the prefix of its uuid who made the table (`LVM-`, `CRYPT-`, `mpath-`). */
function kindOf(holder: BlockDevice | undefined, name: string): HostUseKind {
  if (holder?.dmUuid?.startsWith('LVM-') === true) return 'VolumeGroupActive';
  if (name.startsWith('dm-')) return 'DeviceMapperActive';
  if (name.startsWith('bcache')) return 'BcacheActive';
  return 'BlockDeviceOpen';
}
