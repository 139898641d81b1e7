// Devices made out of a function: virtual functions, mediated devices, vDPA devices; userspace drivers that are not
// VFIO; and memory that is published to other devices.
import type { HostUse, HostUseKind } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import { findingsOf } from '../concurrently.ts';
import { devicesFolder } from '../function-reader.ts';
import { thereUses, type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { describeOpeners } from '../survey/processes.ts';

/** Buses whose devices are made out of a function. */
const made: readonly (readonly [bus: string, kind: HostUseKind])[] = [
  ['mdev', 'MediatedDevices'],
  ['vdpa', 'VdpaDevices'],
];

/** VirtualFunctionsExist, MediatedDevices, VdpaDevices, ForeignUioUser, PeerMemoryPublished. */
export async function virtualUses(context: UseContext): Promise<readonly HostUse[]> {
  const found = await Promise.all([
    findingsOf(context.targets, async (fn) => [
      ...functionUses(fn),
      ...(await peerMemoryUses(context, fn)),
    ]),
    findingsOf(made, async ([bus, kind]) => {
      const { devices, problems } = await context.linked(`/sys/bus/${bus}/devices`);
      return [
        ...unknownUses(context.targets, `devices of bus ${bus}`, problems),
        ...devices.flatMap((device) => thereUses(kind, device)),
      ];
    }),
    uioUses(context),
    resourceUses(context),
  ]);
  return found.flat();
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
  const [{ devices, problems }, { openers }] = await Promise.all([
    context.linked('/sys/class/uio'),
    context.processes(),
  ]);
  const found = unknownUses(context.targets, 'UIO devices', problems);
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
