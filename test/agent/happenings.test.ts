// Which change of a group is told to people, and with what words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { happenings } from '../../src/agent/report/happenings.ts';
import type { GroupView, MemberView } from '../../src/agent/view.ts';
import { address } from '../support/groups.ts';

function member(at: string, role: MemberView['role'], driver: string | null): MemberView {
  const vfioDevice = driver === 'vfio-pci' ? 'vfio0' : null;
  return {
    ...{ address: at, role, driver, vfioDevice },
    ...{ vendor: '10de', device: '2684', classCode: '030000', originalDriver: 'nvidia' },
  };
}

const assigned: GroupView = {
  leader: address('0000:01:00.0'),
  groupNumber: 14,
  resourceName: 'example.com/gpu' as GroupView['resourceName'],
  policyName: 'gpu',
  owner: 'Userspace',
  phase: 'Assigned',
  healthy: true,
  why: null,
  blockers: [],
  fault: null,
  lease: null,
  members: [
    member('0000:00:01.0', 'bridge', 'pcieport'),
    member('0000:01:00.0', 'primary', 'vfio-pci'),
    member('0000:01:00.1', 'companion', 'vfio-pci'),
  ],
  numaNodes: [],
  passed: [],
  pending: [],
  resetDue: false,
};

const mixed: GroupView = {
  ...assigned,
  owner: 'Mixed',
  healthy: false,
  why: 'a member is not bound to its VFIO driver',
  members: [...assigned.members.slice(0, 2), member('0000:01:00.1', 'companion', 'snd_hda_intel')],
};

test('a mixed group is told with the member that a kernel driver holds, and the driver', () => {
  const found = happenings(assigned, mixed);
  assert.deepEqual(found[0], {
    reason: 'OwnershipMixed',
    note: 'a member is not bound to its VFIO driver: 0000:01:00.1 has snd_hda_intel',
  });
});

test('it is told once, and not while the group is on its way', () => {
  assert.deepEqual(happenings(mixed, mixed), []);
  const reasons = happenings(assigned, { ...mixed, phase: 'Returning' });
  assert.deepEqual(
    reasons.filter(({ reason }) => reason === 'OwnershipMixed'),
    [],
  );
});
