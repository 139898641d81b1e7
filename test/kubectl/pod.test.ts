// Why a pod does not get what it asks for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainPod, type PodSurroundings, shortage } from '../../src/kubectl/explain-pod.ts';
import { demandOf } from '../../src/kubectl/pod-demand.ts';
import type { KubeNode, SeenGroup, SeenPod } from '../../src/kubectl/seen.ts';
import { assignedGroup, blockedGroup } from '../api/objects/group-objects.ts';

const resource = 'example.com/nic';

function free(node: string, bus: string, changes: object = {}): SeenGroup {
  const conditions = [
    { type: 'Offered', status: 'True', reason: 'Offered', message: '', lastTransitionTime: '' },
  ];
  const status = { ...blockedGroup.status, nodeName: node, blockers: [], conditions, ...changes };
  return { metadata: { name: `${node}-0000-${bus}-00-0` }, status: status as never };
}

function node(name: string, allocatable: number, more: object = {}): KubeNode {
  const status = { allocatable: { [resource]: String(allocatable) } };
  return { metadata: { name }, status, ...more };
}

function pod(limits: Readonly<Record<string, number>>, more: object = {}): SeenPod {
  return {
    metadata: { name: 'p', namespace: 'ml', uid: 'u1' },
    spec: { containers: [{ name: 'main', resources: { limits } }] },
    status: { phase: 'Pending' },
    ...more,
  };
}

const policies = [{ metadata: { name: 'nics' }, spec: { resourceName: resource } }];

function around(groups: readonly SeenGroup[], nodes: readonly KubeNode[] | null): PodSurroundings {
  return { policies, groups, nodes, passthroughNodes: [] };
}

const short = (asked: number, groups: readonly SeenGroup[], nodes: KubeNode[] | null = null) => {
  const { demands } = explainPod(pod({ [resource]: asked }), around(groups, nodes));
  const [demand] = demands;
  assert(demand !== undefined);
  return shortage(demand);
};

test('nothing is free', () => {
  assert.equal(short(1, []), 'nothing of example.com/nic is free');
});

test('no node has as many as are asked for', () => {
  const groups = [free('a', '01'), free('b', '01'), free('b', '02')];
  assert.match(
    short(3, groups) ?? '',
    /3 of example.com\/nic on one node.*b has most of it free: 2/,
  );
});

test('a node that has enough and is cordoned does not help, and that is said', () => {
  const nodes = [node('a', 1, { spec: { unschedulable: true } })];
  assert.match(short(1, [free('a', '01')], nodes) ?? '', /free on a, and cannot be used there/);
});

test('a kubelet that counts fewer does not help', () => {
  assert.match(short(1, [free('a', '01')], [node('a', 0)]) ?? '', /cannot be used there/);
});

test('nothing is known against a node that has enough', () => {
  assert.equal(short(1, [free('a', '01')], [node('a', 1)]), null);
  assert.equal(short(1, [free('a', '01')]), null, 'also when Nodes may not be looked at');
});

test('a resource that nobody offers is told of only when it looks mistyped', () => {
  const mistyped = explainPod(pod({ 'example.com/nik': 1 }), around([], null));
  assert.deepEqual([mistyped.well, mistyped.demands[0]?.meant], [false, resource]);
  const others = explainPod(pod({ 'vendor.example/gpu': 1 }), around([], null));
  assert.deepEqual([others.well, others.demands], [true, []]);
  const both = explainPod(pod({ [resource]: 1, 'example.com/nik': 1 }), around([], null));
  assert.equal(both.demands.length, 2);
});

const held = (changes: object = {}): SeenGroup => {
  const pods = { namespace: 'ml', name: 'p', uid: 'u1' };
  const lease = { ...assignedGroup.status.lease, pod: { ...pods, ...changes } };
  return free('a', '01', { phase: 'Assigned', resourceName: resource, lease });
};

test('a pod that has its groups is well', () => {
  const told = explainPod(pod({ [resource]: 1 }), around([held()], null));
  assert.deepEqual([told.well, told.has.length, told.demands], [true, 1, []]);
});

test('a group of an earlier pod of the same name is not its own', () => {
  const told = explainPod(pod({ [resource]: 1 }), around([held({ uid: 'u0' })], null));
  assert.deepEqual([told.well, told.has], [false, []]);
});

test('what the kubelet refused a pod with is told', () => {
  const status = {
    phase: 'Failed',
    reason: 'UnexpectedAdmissionError',
    message: 'Allocate failed',
  };
  const told = explainPod(pod({ [resource]: 1 }, { status }), around([], null));
  assert.deepEqual(told.said, [
    { who: 'kubelet', message: 'UnexpectedAdmissionError: Allocate failed' },
  ]);
  assert.equal(told.well, false);
});

test('containers ask together, init containers one after the other', () => {
  const resources = (count: number): object => ({ resources: { limits: { [resource]: count } } });
  const asked: SeenPod = {
    metadata: { name: 'p' },
    spec: {
      containers: [
        { name: 'a', ...resources(1) },
        { name: 'b', ...resources(1) },
      ] as never,
      initContainers: [
        { name: 'i', ...resources(3) },
        { name: 'j', ...resources(1) },
      ] as never,
    },
  };
  assert.deepEqual([...demandOf(asked)], [[resource, 3]]);
});

test('ordinary resources and huge pages are no devices', () => {
  assert.deepEqual([...demandOf(pod({ cpu: 1, 'hugepages-1Gi': 1 }))], []);
});
