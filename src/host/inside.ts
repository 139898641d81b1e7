// Whether anyone has a member of a group open through VFIO: the functions' own counts, and open device files. What
// cannot be seen counts as someone; a group without any VFIO device cannot be entered at all.
import type { Evidence, Inside } from '../ownership/use.ts';
import { endpoints, type IommuGroup } from '../pci/group.ts';
import type { PciFunction } from '../pci/function.ts';
import { isVfioDriver } from './binding.ts';
import { devicesFolder } from './function-reader.ts';
import { orAbsent } from './reading.ts';
import type { UseContext } from './survey/context.ts';
import { describeOpeners } from './survey/processes.ts';

/** Looks who is inside `group`. Makes no probe that could disturb: the group file has room for one opener only. */
export async function lookInside(context: UseContext, group: IommuGroup): Promise<Inside> {
  const someone: Evidence[] = [];
  const doubts: Evidence[] = [];
  let reachable = false;
  for (const fn of endpoints(group)) {
    const vfio = onVfio(fn);
    if (vfio === false) continue;
    reachable = true;
    if (vfio !== true) doubts.push(vfio);
    someone.push(...openCount(fn));
    if (!fn.enableCount.known) doubts.push({ path: fn.enableCount.path, says: fn.enableCount.why });
  }
  const nodes = orAbsent(await context.names('/dev/vfio'), []);
  if (!nodes.known) {
    // A group file may be there that no member shows any more: its last one is being unbound.
    reachable = true;
    doubts.push({ path: nodes.path, says: nodes.why });
  }
  const listed = nodes.known ? nodes.value : [];
  if (listed.includes(String(group.number)) || listed.includes(`noiommu-${group.number}`))
    reachable = true;
  someone.push(...(await openNodes(context, group)));
  if (someone.length > 0) return { kind: 'someone', evidence: someone };
  if (!reachable) return { kind: 'nobody' };
  const { problems } = await context.processes();
  doubts.push(...problems.map((problem) => ({ path: problem.path, says: problem.why })));
  return doubts.length > 0 ? { kind: 'unknown', evidence: doubts } : { kind: 'nobody' };
}

/** True when bound to VFIO, or driverless and still open: an unbind that waits for its user has no link any more. */
function onVfio(fn: PciFunction): boolean | Evidence {
  if (!fn.vfioDevice.known) return { path: fn.vfioDevice.path, says: fn.vfioDevice.why };
  if (!fn.driver.known) return { path: fn.driver.path, says: fn.driver.why };
  if (fn.vfioDevice.value !== null) return true;
  if (fn.driver.value !== null) return isVfioDriver(fn.driver.value);
  return !fn.enableCount.known || fn.enableCount.value > 0;
}

/** `enable` counts who has the device open while VFIO has it (pci_enable_device in vfio_pci_core_enable). */
function openCount(fn: PciFunction): readonly Evidence[] {
  if (!fn.enableCount.known || fn.enableCount.value === 0) return [];
  const path = `${devicesFolder}/${fn.address}/enable`;
  return [{ path, says: String(fn.enableCount.value) }];
}

async function openNodes(context: UseContext, group: IommuGroup): Promise<readonly Evidence[]> {
  const files = [`/dev/vfio/${group.number}`, `/dev/vfio/noiommu-${group.number}`];
  for (const fn of endpoints(group)) {
    const device = fn.vfioDevice.known ? fn.vfioDevice.value : null;
    if (device !== null) files.push(`/dev/vfio/devices/${device}`);
  }
  const { openers } = await context.processes();
  const found: Evidence[] = [];
  for (const file of files) {
    const who = openers.get(file) ?? [];
    const [first] = who;
    if (first === undefined) continue;
    const says = `${file} by ${await describeOpeners(context, who)}`;
    found.push({ path: `/proc/${first.pid}/fd/${first.fd}`, says });
  }
  return found;
}
