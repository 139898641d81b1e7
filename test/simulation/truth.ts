// What is so on the simulated machine, told from the model's own objects and not through KernelFs: the
// checker must not see with the agent's eyes.
import { endpointsOf } from './members.ts';
import type { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { ChildDevice } from '../../src/kernel/model/objects/child-device.ts';
import type { PciDevice } from '../../src/kernel/model/objects/pci-device.ts';
import type { PciAddress } from '../../src/pci/address.ts';

/** Every member of the group that a function is in now; empty when it is gone. */
export function groupMembers(model: KernelModel, address: PciAddress): readonly PciDevice[] {
  const device = model.machine.devices.get(address);
  const group = device?.group ?? null;
  if (group === null) return [];
  return [...model.machine.devices.values()].filter((other) => other.group === group);
}

/** Why the host would miss a member of the group of this function now; null: it would not (as far as the simulation acts). */
export function hostUse(model: KernelModel, address: PciAddress): string | null {
  for (const member of endpointsOf(groupMembers(model, address))) {
    const use = useOf(model, member);
    if (use !== null) return `${member.address}: ${use}`;
  }
  return null;
}

function useOf(model: KernelModel, device: PciDevice): string | null {
  const { host, children } = model.machine;
  const below = (child: ChildDevice): boolean => child.devpath.startsWith(`${device.devpath}/`);
  for (const net of children.of('net').filter(below)) {
    if (net.facts.kind !== 'net') continue;
    if (net.facts.net.up) return `${net.name} is up`;
    if (net.facts.net.addresses.length > 0) return `${net.name} has an address`;
  }
  for (const block of children.of('block').filter(below)) {
    const mounted = host.mounts.find((mount) => mount.source === block.name);
    if (mounted !== undefined) return `${block.name} is mounted on ${mounted.target}`;
    if (host.swaps.includes(block.name)) return `${block.name} is swap`;
  }
  return null;
}

/** Pids of all processes that have the group or a member of it open. */
export function insiders(model: KernelModel, address: PciAddress): readonly number[] {
  const members = groupMembers(model, address);
  const number = members[0]?.group?.id ?? null;
  const addresses = new Set<string>(members.map((member) => member.address));
  const uses = model.openUses().filter((use) => {
    return typeof use.of === 'number'
      ? use.of === number
      : use.of !== null && addresses.has(use.of);
  });
  return [...new Set(uses.map((use) => use.pid))];
}

/** Members that keep the group from being wholly userspace's (R3), as text; null: it is. */
export function notTaken(model: KernelModel, address: PciAddress): string | null {
  const members = groupMembers(model, address);
  if (members.length === 0) return `${address} is gone`;
  for (const member of members) {
    const driver = member.driver?.name ?? null;
    if (member.spec.header !== 'endpoint') {
      if (driver !== null && driver !== 'pcieport')
        return `bridge ${member.address} is held by ${driver}`;
    } else if (driver !== 'vfio-pci') return `${member.address} is bound to ${driver ?? 'nothing'}`;
  }
  return null;
}

/** Whether block devices hang below a function now. */
export function hasDisks(model: KernelModel, device: PciDevice): boolean {
  return model.machine.children
    .of('block')
    .some((child) => child.devpath.startsWith(`${device.devpath}/`));
}
