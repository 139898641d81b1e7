// When a person is told that a pod is gone and its group is not free.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptLeases, keptLeaseNote } from '../../src/agent/report/kept-leases.ts';
import type { GroupView } from '../../src/agent/view.ts';

const pod = { namespace: 'ml', name: 'train', uid: 'u1', container: 'main' };

function view(since: string | null, owner = 'Userspace'): GroupView {
  const lease = since === null ? null : { pod, since };
  return { leader: '0000:65:00.0', groupNumber: 17, owner, lease } as unknown as GroupView;
}

const gone = (): boolean => true;
const alive = (): boolean => false;

test('a group is told of once, when its pod has been gone for half a minute', () => {
  const kept = new KeptLeases();
  const due = (nowMs: number): number => kept.due([view('a')], gone, nowMs).length;
  assert.deepEqual([0, 29_000, 30_000, 31_000, 90_000].map(due), [0, 0, 1, 0, 0]);
});

test('a pod that is there again, or another lease, begins the wait anew', () => {
  const kept = new KeptLeases();
  kept.due([view('a')], gone, 0);
  kept.due([view('a')], alive, 20_000);
  assert.equal(kept.due([view('a')], gone, 31_000).length, 0);
  assert.equal(kept.due([view('b')], gone, 70_000).length, 0);
  assert.equal(kept.due([view('b')], gone, 100_000).length, 1);
});

test('a group that is free, or gone, is forgotten', () => {
  const kept = new KeptLeases();
  kept.due([view('a')], gone, 0);
  assert.equal(kept.due([view(null)], gone, 40_000).length, 0);
  kept.due([view('a')], gone, 50_000);
  kept.due([], gone, 60_000);
  assert.equal(kept.due([view('a')], gone, 90_000).length, 0);
});

test('the note names the pod, and what to look for', () => {
  assert.match(keptLeaseNote(view('a')), /pod ml\/train is gone.*fuser -v \/dev\/vfio\/17/);
  assert.match(keptLeaseNote(view('a', 'None')), /the kubelet has not given the device up yet/);
});
