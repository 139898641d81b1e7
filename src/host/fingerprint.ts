// A digest of cheap listings that differs when something on the machine may have changed. Only reads that are made
// in process: a poll must not keep lanes alive. Equal digests prove nothing; the caller also looks from time to time.
import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { KernelFs } from '../kernel/fs.ts';
import { isPciAddress } from '../pci/address.ts';
import { devicesFolder } from './function-reader.ts';
import { groupsFolder } from './group-reader.ts';
import { Pacer } from './reading.ts';

/** Folders whose names tell of devices, groups, classes of use, and file systems that are mounted. */
const folders = [
  ...[devicesFolder, groupsFolder, '/sys/class/net', '/sys/class/block', '/sys/class/iommu'],
  ...[
    '/sys/class/drm',
    '/sys/class/sound',
    '/sys/class/infiniband',
    '/sys/class/uio',
    '/sys/bus/usb/devices',
  ],
  ...[
    '/sys/fs/ext4',
    '/sys/fs/xfs',
    '/sys/fs/btrfs',
    '/sys/fs/f2fs',
    '/dev/vfio',
    '/dev/vfio/devices',
  ],
];

const driversFolder = '/sys/bus/pci/drivers';
const vfioClass = '/sys/class/vfio-dev';

/** The digest, as a short text. A failed listing is part of it: that a folder cannot be read any more is news. */
export async function takeFingerprint(kernel: KernelFs, clock: Clock): Promise<string> {
  const hash = createHash('sha1');
  const pacer = new Pacer(clock);
  const add = async (path: string): Promise<readonly string[]> => {
    const names = await kernel.list(path);
    hash.update(path);
    hash.update(names.kind === 'value' ? names.value.join('\n') : names.kind);
    if (pacer.due) await pacer.breathe();
    return names.kind === 'value' ? names.value : [];
  };
  for (const folder of folders) await add(folder);
  // A driver's folder has one link for each device it is bound to: which is how a change of driver shows.
  for (const driver of await add(driversFolder)) await add(`${driversFolder}/${driver}`);
  for (const name of await add(vfioClass)) hash.update(await readEnable(kernel, name));
  const routes = await kernel.read('/proc/1/net/route');
  if (routes.kind === 'value') hash.update(routes.value);
  return hash.digest('base64');
}

/** `enable` of a VFIO device: 0 nobody, 1 or more someone has it open. How the end of a user shows. */
async function readEnable(kernel: KernelFs, vfioDevice: string): Promise<string> {
  const place = await kernel.readLink(`${vfioClass}/${vfioDevice}`);
  if (place.kind !== 'value') return place.kind;
  const address = place.value.split('/').findLast(isPciAddress);
  if (address === undefined) return 'no function';
  const enable = await kernel.read(`${devicesFolder}/${address}/enable`);
  return enable.kind === 'value' ? Buffer.from(enable.value).toString('latin1') : enable.kind;
}
