// Programs that have a function's disk or its control device open, and device nodes of it that were bind-mounted
// for somebody. A node of another name inside a container is not seen here: only the kernel knows such an opener.
import type { HostUse } from '../../ownership/use.ts';
import { findingsOf } from '../concurrently.ts';
import { findDevice } from '../survey/blocks.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { describeOpeners } from '../survey/processes.ts';

/** Classes of character devices that give raw access to a disk: NVMe controllers and SCSI generic. */
const controlClasses = ['nvme', 'nvme-generic', 'scsi_generic'];

/** BlockDeviceOpen. */
export async function rawOpenUses(context: UseContext): Promise<readonly HostUse[]> {
  const blocks = await context.blocks();
  const [{ openers }, controls] = await Promise.all([context.processes(), controlUses(context)]);
  const found: HostUse[] = [];
  for (const [file, who] of openers) {
    const device = file.includes('/dev/') ? findDevice(blocks, file) : undefined;
    const [first] = who;
    if (device === undefined || device.targets.length === 0 || first === undefined) continue;
    const evidence = { path: `/proc/${first.pid}/fd/${first.fd}`, says: file };
    const subject = `${device.name} open by ${await describeOpeners(context, who)}`;
    found.push(...usesOf('BlockDeviceOpen', device.targets, subject, evidence));
  }
  for (const mount of (await context.mounts()).mounts) {
    if (mount.fsType !== 'devtmpfs' || mount.root === '/') continue;
    const device = findDevice(blocks, `/dev${mount.root}`);
    if (device === undefined) continue;
    const evidence = { path: mount.path, says: `${mount.root} ${mount.target}` };
    found.push(
      ...usesOf(
        'BlockDeviceOpen',
        device.targets,
        `${device.name} given to ${mount.target}`,
        evidence,
      ),
    );
  }
  return [...found, ...controls];
}

function controlUses(context: UseContext): Promise<readonly HostUse[]> {
  return findingsOf(controlClasses, async (name) => {
    const [{ devices, problems }, { openers }] = await Promise.all([
      context.linked(`/sys/class/${name}`),
      context.processes(),
    ]);
    const found = unknownUses(context.targets, `devices of class ${name}`, problems);
    for (const device of devices) {
      const who = openers.get(`/dev/${device.name}`);
      const [first] = who ?? [];
      if (who === undefined || first === undefined) continue;
      const evidence = { path: `/proc/${first.pid}/fd/${first.fd}`, says: `/dev/${device.name}` };
      const subject = `${device.name} open by ${await describeOpeners(context, who)}`;
      found.push(...usesOf('BlockDeviceOpen', device.targets, subject, evidence));
    }
    return found;
  });
}
