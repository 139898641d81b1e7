// Records to test with.
import assert from 'node:assert/strict';
import { CodedError } from '../../src/base/errors.ts';
import type { GroupRecord } from '../../src/ownership/record.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import { groupKeyOf } from '../../src/pci/group.ts';

export function address(text: string): PciAddress {
  return text as PciAddress;
}

/** A GPU and its audio function at `slot`, taken for a pod. */
export function gpuRecord(slot = '0000:65:00', changes: Partial<GroupRecord> = {}): GroupRecord {
  const members = ['0', '1'].map((fn) => address(`${slot}.${fn}`));
  return {
    key: groupKeyOf(members),
    leader: address(`${slot}.0`),
    groupNumber: 17,
    bootId: '8d3d1c66-6f45-4b7d-9d6b-cf7e1c5bb7c2',
    phase: 'Assigned',
    members: members.map((each, index) => ({
      address: each,
      role: index === 0 ? 'primary' : 'companion',
      vendor: '10de',
      device: index === 0 ? '2235' : '1aef',
      originalDriver: index === 0 ? 'nvidia' : null,
      originalOverride: null,
    })),
    resourceName: 'nvidia.com/GA102GL_A40',
    policyName: 'a40',
    vfioDriver: 'vfio-pci',
    reset: 'Preferred',
    nodeOwner: { uid: 107, gid: 107, mode: 0o660 },
    lease: {
      since: '2026-11-23T05:17:08.000Z',
      pod: { namespace: 'ml', name: 'train-0', uid: null, container: 'main' },
    },
    resetDue: true,
    answer: { delivery: 'cdi', access: 'Group', deviceNodes: [] },
    ...changes,
  };
}

/** A check for assert.rejects: the coded failure of a write, about 0000:65:00.0, because of `errno`. */
export function writeFailure(errno: string): (thrown: unknown) => boolean {
  return (thrown) => {
    assert(thrown instanceof CodedError);
    assert.equal(thrown.code, 'WG_RECORD_WRITE_FAILED');
    assert.match(thrown.message, /0000:65:00\.0/);
    assert.equal((thrown.cause as NodeJS.ErrnoException).code, errno);
    return true;
  };
}
