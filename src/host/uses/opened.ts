// Device files of a class that a program has open: the common part of many uses.
import type { HostUse, HostUseKind } from '../../ownership/use.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { describeOpeners } from '../survey/processes.ts';

/** Which class, where its nodes are, and what an opener of one means. */
export interface OpenedClass {
  /** Folder below /sys/class. */
  readonly class: string;
  /** Folder of the device nodes. */
  readonly nodes: string;
  readonly kind: HostUseKind;
}

/** A use of `kind` for each device of the class that somebody has open. */
export async function openedUses(
  context: UseContext,
  opened: OpenedClass,
): Promise<readonly HostUse[]> {
  const [{ devices, problems }, { openers }] = await Promise.all([
    context.linked(`/sys/class/${opened.class}`),
    context.processes(),
  ]);
  const found = unknownUses(context.targets, `devices of class ${opened.class}`, problems);
  for (const device of devices) {
    // sysfs writes "!" for "/" in the names of nodes in subfolders.
    const node = `${opened.nodes}/${device.name.replaceAll('!', '/')}`;
    const who = openers.get(node) ?? [];
    const [first] = who;
    if (device.targets.length === 0 || first === undefined) continue;
    const evidence = { path: `/proc/${first.pid}/fd/${first.fd}`, says: node };
    const subject = `${device.name} open by ${await describeOpeners(context, who)}`;
    found.push(...usesOf(opened.kind, device.targets, subject, evidence));
  }
  return found;
}
