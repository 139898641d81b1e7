// What a group comes to in one word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupStatus } from '../../src/api/iommu-group.ts';
import { type GroupState, groupState, isFree, whyOf } from '../../src/kubectl/group-state.ts';
import { countStates, obstaclesOf } from '../../src/kubectl/obstacles.ts';
import type { SeenGroup } from '../../src/kubectl/seen.ts';
import { assignedGroup, blockedGroup } from '../api/objects/group-objects.ts';

const condition = (type: string, status: string): GroupStatus['conditions'][number] =>
  ({
    type,
    status,
    reason: 'Why',
    message: '',
    lastTransitionTime: '2026-11-23T05:17:08Z',
  }) as never;

function group(changes: object): SeenGroup {
  const { metadata, status } = blockedGroup;
  return { metadata, status: { ...status, blockers: [], conditions: [], ...changes } as never };
}

const offered = [condition('Offered', 'True')];
const lease = assignedGroup.status.lease;
const rows: readonly (readonly [what: string, changes: object, state: GroupState])[] = [
  ['nothing keeps it, and nothing offers it', {}, 'idle'],
  ['it is offered', { conditions: offered }, 'offered'],
  ['it is claimed ahead, and offered', { phase: 'Claimed', conditions: offered }, 'offered'],
  ['something keeps it', { blockers: blockedGroup.status.blockers }, 'blocked'],
  ['it is being taken', { phase: 'Claiming', conditions: offered }, 'moving'],
  ['it is being given back', { phase: 'Returning' }, 'moving'],
  ['a pod has it', { phase: 'Assigned', conditions: offered, lease }, 'assigned'],
  [
    'a pod has it and it is not whole',
    { phase: 'Assigned', conditions: [condition('Healthy', 'False')], lease },
    'faulted',
  ],
  ['it needs a person', { phase: 'Faulted' }, 'faulted'],
];

for (const [what, changes, state] of rows) {
  test(`${what}: ${state}`, () => assert.equal(groupState(group(changes)), state));
}

test('a group without a status is not reported', () => {
  const unreported = { metadata: blockedGroup.metadata };
  assert.equal(groupState(unreported), 'unreported');
  assert.equal(whyOf(unreported), 'not reported yet');
});

test('a group that is offered while a lease is on it is not free', () => {
  assert(isFree(group({ conditions: offered })));
  assert(!isFree(group({ conditions: offered, lease })));
});

test('every state is counted, once', () => {
  const counts = countStates(rows.map(([, changes]) => group(changes)));
  assert.deepEqual(counts, {
    assigned: 1,
    offered: 2,
    moving: 2,
    blocked: 1,
    faulted: 2,
    other: 1,
  });
});

test('what keeps groups is gathered by kind, the most common first', () => {
  const blockers = (kind: string): object => ({
    blockers: [{ ...blockedGroup.status.blockers[0], kind }],
  });
  const groups = ['SwapActive', 'MountedFilesystem', 'SwapActive'].map((kind) =>
    group(blockers(kind)),
  );
  assert.deepEqual(
    obstaclesOf([...groups, group({})]).map(({ kind, groups: names }) => [kind, names.length]),
    [
      ['SwapActive', 2],
      ['MountedFilesystem', 1],
    ],
  );
});
