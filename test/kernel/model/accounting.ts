// What must hold on a machine at any moment: the invariants of DMA ownership, and that objects refer to each
// other consistently.
import assert from 'node:assert/strict';
import type { Machine } from '../../../src/kernel/model/machine.ts';
import type { Group } from '../../../src/kernel/model/objects/group.ts';

/** Members between dma_configure and dma_cleanup of a driver that does not manage its DMA. */
function kernelUsers(group: Group): number {
  let users = 0;
  for (const member of group.devices) {
    if (member.kind === 'pci' && member.driver !== null && !member.driver.personality.managedDma)
      users += 1;
  }
  return users;
}

/** Devices of a group that iommufd contexts have claimed through. */
function iommufdUses(machine: Machine, group: Group): number {
  const devices = new Set<unknown>();
  for (const process of machine.processes.all()) {
    for (const { what } of process.files.values()) {
      if (
        what.kind === 'device' &&
        what.iommufd !== null &&
        what.granted &&
        what.device.pci.group === group
      ) {
        devices.add(what.device);
      }
    }
  }
  return devices.size;
}

function checkGroup(machine: Machine, group: Group): void {
  const at = `group ${group.id}`;
  const users = kernelUsers(group);
  if (group.owner === null) {
    assert.equal(
      group.ownerCount,
      users,
      `${at}: without an owner the count is that of kernel drivers`,
    );
    assert.equal(
      group.domain,
      'default',
      `${at}: without an owner the kernel's domain is attached`,
    );
  } else {
    assert.equal(users, 0, `${at}: no kernel driver beside an owner`);
    assert.notEqual(
      group.domain,
      'default',
      `${at}: an owner has the group out of the kernel's domain`,
    );
    const container = machine.vfioGroups.find(
      (vfio) => vfio.group === group && vfio === group.owner,
    );
    const expected = container === undefined ? iommufdUses(machine, group) : 1;
    assert.equal(group.ownerCount, expected, `${at}: a container counts once, iommufd by device`);
  }
  assert.equal(machine.groups.get(group.id), group, `${at}: numbers lead to their groups`);
  assert.ok(group.devices.size > 0, `${at}: a group without members is gone`);
}

/** Everything that must hold between any two steps. */
export function check(machine: Machine): void {
  for (const group of machine.groups.values()) checkGroup(machine, group);
  for (const device of machine.devices.values()) {
    if (device.driverLink)
      assert.ok(device.driver?.linked.has(device), `${device.address}: links go both ways`);
    if (device.vfio !== null)
      assert.ok(device.driver?.personality.vfio, `${device.address}: VFIO needs its driver`);
    if (device.group !== null)
      assert.ok(device.group.devices.has(device), `${device.address}: member of its group`);
    assert.ok(device.enableCount >= 0, `${device.address}: enable count`);
  }
  for (const vfio of machine.vfioGroups) {
    assert.ok(vfio.drivers > 0, `/dev/vfio/${vfio.name}: a node needs a VFIO-bound member`);
    const open = vfio.devices.some(({ openCount }) => openCount > 0);
    if (vfio.container !== null)
      assert.ok(vfio.openedFile !== null || open, 'a container is held by a file');
  }
}
