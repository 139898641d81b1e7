// A small cluster for the plugin to look at: three nodes, a group in every state, policies, and pods that have, wait
// for, and mistype what they ask for.
import { assignedGroup, blockedGroup, nodeObject } from '../objects/group-objects.ts';
import { withSpec } from '../objects/policy-objects.ts';
import { mergePatch } from '../support/api-call.ts';
import type { ApiServer } from '../support/api-server.ts';

const api = '/apis/wholegroup.dev/v1alpha1';
const since = '2026-11-23T05:17:08Z';

interface Made {
  readonly metadata: { readonly name: string; readonly uid: string };
}

/** Makes an object and then its status. */
async function make(server: ApiServer, path: string, object: object): Promise<Made> {
  const token = server.tokens.admin;
  const { status, ...rest } = object as { status?: object; metadata: { name: string } };
  const made = await server.call({ method: 'POST', path, token, body: rest });
  if (made.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(made.body)}`);
  if (status === undefined) return made.body as Made;
  const own = { method: 'PATCH', path: `${path}/${rest.metadata.name}/status`, token } as const;
  const written = await server.call({ ...own, contentType: mergePatch, body: { status } });
  if (written.status !== 200) throw new Error(`status of ${path}: ${JSON.stringify(written.body)}`);
  return made.body as Made;
}

const condition = (type: string, status: string, reason: string, message = ''): object => ({
  ...{ type, status, reason, message, lastTransitionTime: since },
});

/** A group of worker-2 in which everything but `changes` is as with the group that the host needs. */
function groupOf(node: string, bus: string, changes: object, spec: object = {}): object {
  const members = blockedGroup.status.members.map((member) => ({
    ...member,
    address: member.address.replace(':04:', `:${bus}:`),
  }));
  const leader = `0000:${bus}:00.0`;
  return {
    ...blockedGroup,
    metadata: { name: `${node}-0000-${bus}-00-0`, labels: { 'wholegroup.dev/node': node } },
    spec,
    status: {
      ...{ ...blockedGroup.status, nodeName: node, groupNumber: Number(bus), leader, members },
      ...{ blockers: [], summary: { devices: `${leader} +1`, why: '', pod: '<none>' } },
      conditions: [condition('Offered', 'True', 'Offered')],
      ...changes,
    },
  };
}

const cordonedStatus = {
  blockers: [
    {
      ...{ kind: 'Cordoned', address: '0000:06:00.0', since },
      message: 'is out of service: fan is being replaced',
      evidence: { path: 'IOMMUGroup worker-2-0000-06-00-0', says: 'cordoned: true' },
      remedy: 'Put it back into service: spec.cordoned: false.',
    },
  ],
  conditions: [condition('Offered', 'False', 'Cordoned')],
};

const groups = [
  blockedGroup,
  groupOf('worker-2', '05', {}),
  groupOf('worker-2', '06', cordonedStatus, {
    ...{ cordoned: true, cordonReason: 'fan is being replaced' },
  }),
  groupOf('worker-2', '07', {
    ...{ phase: 'Faulted', fault: { reason: 'RestoreFailed', message: 'i40e did not come back' } },
    conditions: [condition('Healthy', 'False', 'RestoreFailed', 'i40e did not come back')],
  }),
  // Not reported yet.
  { ...groupOf('worker-3', '08', {}), status: undefined },
];

const counts = { matched: 4, offered: 1, assigned: 0, blocked: 2, faulted: 1 };

const policies = [
  {
    ...withSpec({ resourceName: 'example.com/nic', devices: [{ vendor: '8086' }] }),
    metadata: { name: 'nics' },
    status: {
      ...{ observedGeneration: 1, groups: counts },
      nodes: { selected: 2, offering: 1, names: ['worker-1', 'worker-2'] },
      conflicts: [{ policy: 'more-nics', groups: 1, winner: 'nics' }],
      conditions: [condition('Ready', 'True', 'Offered')],
    },
  },
  {
    ...withSpec({ resourceName: 'nvidia.com/GA102GL_A40', devices: [{ vendor: '10de' }] }),
    metadata: { name: 'a40' },
  },
];

const notReady = {
  ...{ ...nodeObject, metadata: { name: 'worker-2' } },
  status: {
    ...nodeObject.status,
    resources: [{ resourceName: 'example.com/nic', registered: 'No', offered: 1 }],
    message: 'the kubelet has not registered example.com/nic',
    conditions: [
      ...[
        condition(
          'Ready',
          'False',
          'NotRegistered',
          'the kubelet has not registered example.com/nic',
        ),
      ],
      ...[
        condition('IommuEnabled', 'True', 'Active'),
        condition('KernelSuitable', 'True', 'Suitable'),
      ],
      condition(
        'DevicePluginRegistered',
        'False',
        'NotRegistered',
        'the kubelet has not registered example.com/nic',
      ),
    ],
  },
};

function pod(name: string, limits: object, more: object = {}): object {
  const containers = [{ name: 'main', image: 'none', resources: { limits } }];
  return { metadata: { name }, spec: { containers, automountServiceAccountToken: false, ...more } };
}

const unscheduled = {
  phase: 'Pending',
  conditions: [
    {
      ...{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' },
      message: '0/2 nodes are available: 2 Insufficient example.com/nic.',
    },
  ],
};

/** Makes all of it. */
export async function makeCluster(server: ApiServer): Promise<void> {
  for (const name of ['ml']) await make(server, '/api/v1/namespaces', { metadata: { name } });
  for (const namespace of ['ml', 'default']) {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await server.call({
      ...{ method: 'POST', path, token: server.tokens.admin },
      body: { metadata: { name: 'default' } },
    });
  }
  const allocatable = { 'example.com/nic': '0', cpu: '4', memory: '8Gi', pods: '10' };
  for (const name of ['worker-1', 'worker-2'])
    await make(server, '/api/v1/nodes', {
      ...{ metadata: { name }, spec: { unschedulable: name === 'worker-2' } },
      status: { allocatable, capacity: allocatable },
    });
  const inMl = '/api/v1/namespaces/ml/pods';
  const train = await make(server, inMl, {
    ...pod('train-0', { 'nvidia.com/GA102GL_A40': 1 }, { nodeName: 'worker-1' }),
    status: { phase: 'Running' },
  });
  for (const [name, limits] of Object.entries({
    waits: { 'example.com/nic': 2 },
    mistyped: { 'example.com/nik': 1 },
    other: { cpu: 1 },
  }))
    await make(server, inMl, { ...pod(name, limits), status: unscheduled });
  await make(server, '/api/v1/namespaces/default/pods', pod('a40', {}));
  for (const policy of policies) await make(server, `${api}/passthroughpolicies`, policy);
  const lease = {
    ...assignedGroup.status.lease,
    pod: { ...assignedGroup.status.lease.pod, uid: train.metadata.uid },
  };
  const taken = { ...assignedGroup, status: { ...assignedGroup.status, lease } };
  for (const group of [taken, ...groups]) await make(server, `${api}/iommugroups`, group);
  for (const node of [nodeObject, notReady]) await make(server, `${api}/passthroughnodes`, node);
  await makeEvent(server);
}

/** An Event that repeated, as the agent's recorder writes it. */
async function makeEvent(server: ApiServer): Promise<void> {
  const apiVersion = 'wholegroup.dev/v1alpha1';
  await make(server, '/apis/events.k8s.io/v1/namespaces/default/events', {
    metadata: { name: 'worker-2-0000-05-00-0.1', namespace: 'default' },
    ...{ type: 'Warning', reason: 'GroupBlocked', action: 'Withdrawing' },
    ...{ reportingController: 'wholegroup.dev/agent', reportingInstance: 'worker-2' },
    ...{ eventTime: '2026-11-23T06:00:00.000000Z', note: 'eth0 is up. Take it down.' },
    series: { count: 3, lastObservedTime: '2026-11-23T06:10:00.000000Z' },
    regarding: { apiVersion, kind: 'IOMMUGroup', name: 'worker-2-0000-05-00-0' },
  });
}
