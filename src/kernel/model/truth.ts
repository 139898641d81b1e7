// What an omniscient observer knows of a machine: for the checkers of the simulation and for tests, never
// for the agent. Nothing here sleeps or changes anything.
import type { PciAddress } from '../../pci/address.ts';
import type { Machine } from './machine.ts';

/** Who has the DMA of a group. */
export interface Ownership {
  readonly ownerCount: number;
  /** `container`, `iommufd:ID`, or null: kernel drivers, or nobody. */
  readonly owner: string | null;
  readonly domain: 'default' | 'blocking' | 'user' | 'foreign';
}

/** One open file that means something for a group. */
export interface OpenUse {
  readonly pid: number;
  readonly fd: number;
  readonly kind: 'group' | 'device' | 'cdev';
  /** Group number of a group file (null: orphan), address of a device. */
  readonly of: number | PciAddress | null;
}

/** Where a function stands. */
export interface BindingTruth {
  readonly driver: string | null;
  /** False while a probe or a removal is under way. */
  readonly settled: boolean;
  readonly override: string | null;
  readonly enableCount: number;
  readonly group: number | null;
}

/** Ownership of a group, or null when there is no group of that number. */
export function ownershipOf(machine: Machine, groupNumber: number): Ownership | null {
  const group = machine.groups.get(groupNumber);
  if (group === undefined) return null;
  const { owner } = group;
  const context = owner !== null && 'id' in owner ? `iommufd:${String(owner.id)}` : 'container';
  return {
    ownerCount: group.ownerCount,
    owner: owner === null ? null : context,
    domain: group.domain,
  };
}

/** Where a function stands, or null when there is none of that address. */
export function bindingOf(machine: Machine, address: PciAddress): BindingTruth | null {
  const device = machine.devices.get(address);
  if (device === undefined) return null;
  return {
    driver: device.driver?.name ?? null,
    settled: device.driver === null || (device.bound && device.driverLink),
    override: device.override,
    enableCount: device.enableCount,
    group: device.group?.id ?? null,
  };
}

/** Every file of VFIO that any process has open. */
export function openUses(machine: Machine): readonly OpenUse[] {
  const uses: OpenUse[] = [];
  for (const process of machine.processes.all()) {
    for (const [fd, { what }] of process.files) {
      if (what.kind === 'group') {
        uses.push({ pid: process.pid, fd, kind: 'group', of: what.group.group?.id ?? null });
      } else if (what.kind === 'device') {
        const kind = what.via === 'cdev' ? 'cdev' : 'device';
        uses.push({ pid: process.pid, fd, kind, of: what.device.pci.address });
      }
    }
  }
  return uses;
}

/** Calls that sleep in the kernel: process, state. */
export function sleepers(
  machine: Machine,
): readonly { readonly pid: number; readonly comm: string; readonly state: string }[] {
  const found: { pid: number; comm: string; state: string }[] = [];
  for (const { pid, comm, tasks } of machine.processes.all()) {
    for (const task of tasks) found.push({ pid, comm, state: task.state });
  }
  return found;
}
