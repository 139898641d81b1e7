// IOMMUGroup and PassthroughNode objects to make tables of.

type Loose = Record<string, unknown>;

const condition = {
  type: 'Releasable',
  status: 'False',
  lastTransitionTime: '2026-11-23T05:17:08Z',
  reason: 'NetworkDefaultRoute',
  message: 'eth0 carries the default route',
};

const blocked = {
  kind: 'NetworkDefaultRoute',
  address: '0000:04:00.0',
  message: 'eth0 carries the default route',
  evidence: { path: '/proc/net/route', says: 'eth0 00000000' },
  remedy: 'Never released.',
  since: '2026-11-23T05:17:08Z',
};

const nic = {
  address: '0000:04:00.0',
  vendor: '8086',
  device: '1572',
  class: '020000',
  description: 'Ethernet',
  role: 'primary',
  driver: 'i40e',
};

/** A group that the host needs: nobody has it. */
export const blockedGroup = {
  apiVersion: 'wholegroup.dev/v1alpha1',
  kind: 'IOMMUGroup',
  metadata: { name: 'worker-1-0000-04-00-0', labels: { 'wholegroup.dev/node': 'worker-1' } },
  spec: { cordoned: false, cordonReason: '' },
  status: {
    nodeName: 'worker-1',
    groupNumber: 3,
    leader: '0000:04:00.0',
    resourceName: 'example.com/nic',
    policy: 'nics',
    owner: 'Kernel',
    phase: 'WithHost',
    members: [nic, { ...nic, address: '0000:04:00.1', role: 'companion' }],
    blockers: [blocked],
    summary: { devices: '0000:04:00.0 +1', why: 'NetworkDefaultRoute', pod: '<none>' },
    conditions: [condition],
  },
};

const gpu = { address: '0000:65:00.0', vendor: '10de', device: '2235', class: '030200' };

/** A group that a pod has. */
export const assignedGroup = {
  ...blockedGroup,
  metadata: { name: 'worker-1-0000-65-00-0', labels: { 'wholegroup.dev/node': 'worker-1' } },
  status: {
    ...blockedGroup.status,
    observedGeneration: 1,
    groupNumber: 17,
    leader: '0000:65:00.0',
    resourceName: 'nvidia.com/GA102GL_A40',
    policy: 'a40',
    numaNode: 0,
    owner: 'Userspace',
    phase: 'Assigned',
    members: [
      {
        ...gpu,
        role: 'primary',
        driver: 'vfio-pci',
        originalDriver: 'nvidia',
        vfioDevice: 'vfio0',
      },
      { ...gpu, address: '0000:65:00.1', role: 'companion', driver: 'vfio-pci' },
    ],
    blockers: [],
    lease: {
      pod: { namespace: 'ml', name: 'train-0', uid: '0b1', container: 'main' },
      since: '2026-11-23T05:17:08Z',
    },
    summary: { devices: '0000:65:00.0 +1', why: '', pod: 'ml/train-0' },
    conditions: [
      { ...condition, status: 'True', reason: 'NoBlockers', message: 'nothing keeps it' },
      { ...condition, type: 'Healthy', status: 'True', reason: 'Whole', message: 'as it must be' },
    ],
  },
};

/** What a node says of itself. */
export const nodeObject = {
  apiVersion: 'wholegroup.dev/v1alpha1',
  kind: 'PassthroughNode',
  metadata: { name: 'worker-1' },
  status: {
    agentVersion: '0.1.0',
    kernelRelease: '6.12.9',
    iommu: 'Yes',
    iommuUnits: ['dmar0'],
    interruptRemapping: 'Yes',
    ownershipAccounting: 'Yes',
    vfioDrivers: ['vfio-pci'],
    vfioContainer: 'Yes',
    iommufd: 'Unknown',
    resources: [{ resourceName: 'nvidia.com/GA102GL_A40', registered: 'Yes', offered: 1 }],
    groups: {
      ...{ total: 2, offered: 1, blocked: 1, withHost: 1, claiming: 0 },
      ...{ claimed: 0, assigned: 1, returning: 0, faulted: 0 },
    },
    quarantinedRecords: 0,
    message: 'offers 1 of 2 groups',
    conditions: [{ ...condition, type: 'Ready', status: 'True', reason: 'Offering', message: '' }],
  },
};

const changedStatus =
  (object: { readonly status: object }) =>
  (changes: Loose): object => ({ ...object, status: { ...object.status, ...changes } });
const group = changedStatus(assignedGroup);
const node = changedStatus(nodeObject);

/** Objects that are taken. */
export const goodObjects: Record<string, object> = {
  'a group that the host needs': blockedGroup,
  'a group that a pod has': assignedGroup,
  'a group without a number: it is not on the machine': group({ groupNumber: undefined }),
  'a group whose pod is not known yet': group({ lease: { since: '2026-11-23T05:17:08Z' } }),
  'a group that needs a person': group({
    phase: 'Faulted',
    fault: { reason: 'RestoreFailed', message: 'i40e did not come back' },
  }),
  'a group of a node with dots in its name': {
    ...assignedGroup,
    metadata: { name: 'n1.example.com-0000-65-00-0' },
    status: { ...assignedGroup.status, nodeName: 'n1.example.com' },
  },
  'a group that is cordoned': {
    ...assignedGroup,
    spec: { cordoned: true, cordonReason: 'fan is being replaced' },
  },
  'a group that a policy passed over': group({
    passed: [{ policy: 'old', reason: 'Outranked', message: 'policy a40 goes first' }],
  }),
  'a node': nodeObject,
  'a node without an IOMMU': node({ iommu: 'No', iommuUnits: [] }),
};

/** Objects that are refused: the object, the field ("" for the whole), what the agent says. */
export const badObjects: Record<string, [object: object, field: string, message: RegExp]> = {
  'a group whose name has no address at its end': [
    { ...blockedGroup, metadata: { name: 'worker-1' } },
    '',
    /metadata\.name must be <node>-<leader with - for : and \.>/,
  ],
  'a group under the name of another node': [
    group({ nodeName: 'worker-2' }),
    '',
    /status\.nodeName and status\.leader must be those in metadata\.name/,
  ],
  'a group under the name of another group': [
    group({ leader: '0000:66:00.0' }),
    '',
    /must be those/,
  ],
  'a cordon in words': [
    { ...assignedGroup, spec: { cordoned: 'yes' } },
    'spec.cordoned',
    /is "yes"; must be true or false/,
  ],
  'a mistyped cordon': [
    { ...assignedGroup, spec: { cordonned: true } },
    'spec.cordonned',
    /unknown field "cordonned", did you mean cordoned\?/,
  ],
  'a cordon with a novel as its reason': [
    { ...assignedGroup, spec: { cordoned: true, cordonReason: 'a'.repeat(1025) } },
    'spec.cordonReason',
    /has too many characters; .* at most 1024/,
  ],
  'an owner there is not': [
    group({ owner: 'Nobody' }),
    'status.owner',
    /must be one of Kernel, None, Userspace, Mixed/,
  ],
  'a phase nearly right': [
    group({ phase: 'Asigned' }),
    'status.phase',
    /must be one of .*did you mean Assigned\?/,
  ],
  'a field too much': [group({ extra: 1 }), 'status.extra', /unknown field "extra"/],
  'a fractional group number': [
    group({ groupNumber: 1.5 }),
    'status.groupNumber',
    /is 1\.5; must be number of the group/,
  ],
  'a group number below zero': [
    group({ groupNumber: -1 }),
    'status.groupNumber',
    /a whole number from 0/,
  ],
  'a group without a leader': [group({ leader: undefined }), 'status.leader', /is missing/],
  'a blocker of a kind there is not': [
    group({ blockers: [{ ...blocked, kind: 'Haunted' }] }),
    'status.blockers[0].kind',
    /is "Haunted"; must be one of/,
  ],
  'a group passed over for a reason there is not': [
    group({ passed: [{ policy: 'old', reason: 'Disliked', message: 'no' }] }),
    'status.passed[0].reason',
    /is "Disliked"; must be one of OutOfRange, Outranked/,
  ],
  'a condition with a bad reason': [
    group({ conditions: [{ ...condition, reason: 'no spaces' }] }),
    'status.conditions[0].reason',
    /must be a reason in CamelCase/,
  ],
  'a condition with a status of its own': [
    group({ conditions: [{ ...condition, status: 'Maybe' }] }),
    'status.conditions[0].status',
    /must be one of True, False, Unknown/,
  ],
  'a condition twice': [
    group({ conditions: [condition, condition] }),
    'status.conditions[1]',
    /"Releasable" is listed twice/,
  ],
  'a fact that is neither known nor unknown': [
    node({ iommu: true }),
    'status.iommu',
    /is true; must be one of Yes, No, Unknown/,
  ],
  'a count below zero': [
    node({ quarantinedRecords: -1 }),
    'status.quarantinedRecords',
    /is -1; must be record files/,
  ],
  'a node with a spec': [{ ...nodeObject, spec: {} }, 'spec', /unknown field "spec"/],
};
