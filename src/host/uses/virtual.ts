// Devices made out of a function: virtual functions, mediated devices, vDPA devices; userspace drivers that are not
// VFIO; and memory that is published to other devices.
import type { HostUse, HostUseKind } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import { findingsOf } from '../concurrently.ts';
import { devicesFolder } from '../function-reader.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { describeOpeners } from '../survey/processes.ts';

/** Buses whose devices are made out of a function. */
const made: readonly (readonly [bus: string, kind: HostUseKind])[] = [
  ['mdev', 'MediatedDevices'],
  ['vdpa', 'VdpaDevices'],
];

/** VirtualFunctionsExist, MediatedDevices, VdpaDevices, ForeignUioUser, PeerMemoryPublished. */
export async function virtualUses(context: UseContext): Promise<readonly HostUse[]> {
  const found = await findingsOf(context.targets, async (fn) => [
    ...functionUses(fn),
    ...(await peerMemoryUses(context, fn)),
  ]);
  for (const [bus, kind] of made) {
    const { devices, problems } = await context.linked(`/sys/bus/${bus}/devices`);
    found.push(...unknownUses(context.targets, `devices of bus ${bus}`, problems));
    for (const device of devices) {
      found.push(
        ...usesOf(kind, device.targets, device.name, { path: device.path, says: device.place }),
      );
    }
  }
  return [...found, ...(await uioUses(context)), ...(await resourceUses(context))];
}

function functionUses(fn: PciFunction): readonly HostUse[] {
  const { virtualFunctions } = fn;
  const path = `${devicesFolder}/${fn.address}/virtfn0`;
  if (!virtualFunctions.known) return unknownUses([fn], 'virtual functions', [virtualFunctions]);
  const [first] = virtualFunctions.value;
  if (first === undefined) return [];
  return usesOf(
    'VirtualFunctionsExist',
    [fn],
    `${virtualFunctions.value.length} virtual functions`,
    { path, says: first },
  );
}

/** Published is an offer, memory taken from it is a use (drivers/pci/p2pdma.c available_show). */
async function peerMemoryUses(context: UseContext, fn: PciFunction): Promise<readonly HostUse[]> {
  if (!fn.entries.has('p2pmem')) return [];
  const folder = `${devicesFolder}/${fn.address}/p2pmem`;
  const published = await context.text(`${folder}/published`);
  const size = await context.text(`${folder}/size`);
  const available = await context.text(`${folder}/available`);
  for (const fact of [published, size, available]) {
    if (!fact.known) return unknownUses([fn], 'peer memory', [fact]);
  }
  if (!published.known || !size.known || !available.known) return [];
  if (published.value.trim() === '0' || available.value.trim() === size.value.trim()) return [];
  const says = `${available.value.trim()} of ${size.value.trim()} bytes free`;
  return usesOf('PeerMemoryPublished', [fn], 'peer memory', { path: `${folder}/available`, says });
}

/** A function on a UIO driver is given to a program, whether it has the node open now or maps it through sysfs. */
async function uioUses(context: UseContext): Promise<readonly HostUse[]> {
  const { devices, problems } = await context.linked('/sys/class/uio');
  const found = unknownUses(context.targets, 'UIO devices', problems);
  const { openers } = await context.processes();
  for (const device of devices) {
    const who = openers.get(`/dev/${device.name}`) ?? [];
    const subject =
      who.length === 0
        ? device.name
        : `${device.name} open by ${await describeOpeners(context, who)}`;
    found.push(
      ...usesOf('ForeignUioUser', device.targets, subject, {
        path: device.path,
        says: device.place,
      }),
    );
  }
  return found;
}

/** Programs that map a function's memory through its resourceN files: user-space drivers without any kernel part. */
async function resourceUses(context: UseContext): Promise<readonly HostUse[]> {
  const found: HostUse[] = [];
  for (const [file, who] of (await context.processes()).openers) {
    const match = /^\/sys\/.*\/([0-9a-f:.]+)\/(resource\d+(?:_wc)?|config)$/.exec(file);
    const fn = context.target(match?.[1] ?? '');
    const [first] = who;
    if (fn === undefined || first === undefined) continue;
    const evidence = { path: `/proc/${first.pid}/fd/${first.fd}`, says: file };
    found.push(
      ...usesOf(
        'ForeignUioUser',
        [fn],
        `${match?.[2]} open by ${await describeOpeners(context, who)}`,
        evidence,
      ),
    );
  }
  return found;
}
