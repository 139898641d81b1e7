// Writes to a group's `type` (drivers/iommu/iommu.c, iommu_group_store_type): who may change the default
// domain, in the two ways that kernels have refused it.
import type { Errno, Settled } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { Group } from '../objects/group.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import type { Task } from '../vfs.ts';
import { errno, took } from './answers.ts';
import { nameIn } from './numbers.ts';
import { lockDevice } from './probe.ts';

const types: ReadonlySet<string> = new Set(['identity', 'DMA', 'DMA-FQ', 'auto']);

function domainType(machine: Machine, wanted: string): string {
  if (wanted !== 'auto') return wanted;
  return machine.spec.iommu.domainType ?? 'DMA-FQ';
}

/** A flush queue is added without touching the domain. */
function isFlushQueueOnly(group: Group, wanted: string): boolean {
  return wanted === 'DMA-FQ' && group.type === 'DMA';
}

/** Since the accounting: refused while anyone owns the group. */
function changeFree(machine: Machine, group: Group, wanted: string): Errno | null {
  if (!isFlushQueueOnly(group, wanted) && (group.devices.size === 0 || group.ownerCount > 0))
    return 'EPERM';
  group.type = domainType(machine, wanted);
  return null;
}

/** Before: only for groups of one device, refused while that device has a driver. */
async function changeOnly(
  machine: Machine,
  group: Group,
  wanted: string,
  task: Task,
): Promise<Errno | null> {
  const [only, ...others] = group.devices;
  if (only === undefined || others.length > 0 || only.kind !== 'pci') return 'EINVAL';
  const device: PciDevice = only;
  await lockDevice(device, task);
  try {
    if (device.bound && !isFlushQueueOnly(group, wanted)) return 'EBUSY';
    const type = domainType(machine, wanted);
    if (type === group.type) return null;
    if (group.domain !== 'default') return 'EBUSY';
    group.type = type;
    return null;
  } finally {
    device.lock.give(task);
  }
}

/** The write. */
export async function writeGroupType(
  machine: Machine,
  group: Group,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  const wanted = nameIn(data);
  if (!group.hasDefaultDomain || !types.has(wanted)) return errno('EINVAL');
  if (machine.profile.typeWrite === 'ownership')
    return took(data, changeFree(machine, group, wanted));
  return took(data, await changeOnly(machine, group, wanted, task));
}
