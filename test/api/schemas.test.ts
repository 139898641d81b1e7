import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { groupObjectName, groupObjectSchema } from '../../src/api/iommu-group.ts';
import { nodeObjectSchema } from '../../src/api/passthrough-node.ts';
import {
  policyObjectSchema,
  policyStatusSchema,
  waivableKinds,
} from '../../src/api/passthrough-policy.ts';

const schemas = {
  PassthroughPolicy: policyObjectSchema,
  PassthroughPolicyStatus: policyStatusSchema,
  IOMMUGroup: groupObjectSchema,
  PassthroughNode: nodeObjectSchema,
};

function* nodes(value: unknown): Generator<Record<string, unknown>> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const child of Object.values(value)) yield* nodes(child);
}

for (const [kind, schema] of Object.entries(schemas)) {
  test(`${kind} can be written as the OpenAPI schema of a custom resource`, () => {
    const json = z.toJSONSchema(schema, { io: 'input' });
    let patterns = 0;
    for (const node of nodes(json)) {
      if (typeof node['pattern'] !== 'string') continue;
      patterns++;
      // The API server compiles patterns with RE2: no look-around, no back-reference, repeats up to 1000.
      assert.doesNotMatch(node['pattern'], /\(\?[=!<]|\\[1-9]/);
      for (const [, repeat] of node['pattern'].matchAll(/\{\d*,?(\d+)\}/g))
        assert(Number(repeat) <= 1000);
    }
    assert(patterns > 0);
  });
}

test('the schema of waive lists exactly the kinds that the catalogue lets a policy waive', () => {
  const json = JSON.stringify(z.toJSONSchema(policyObjectSchema.shape.spec, { io: 'input' }));
  for (const kind of waivableKinds) assert(json.includes(`"${kind}"`), kind);
  const never = ['RootDisk', 'NodeAddress', 'NetworkDefaultRoute', 'SystemConsole', 'BootDisplay'];
  for (const kind of [...never, 'FramebufferConsole', 'UnknownUse']) {
    assert(!json.includes(`"${kind}"`), kind);
  }
});

const condition = {
  type: 'Releasable',
  status: 'False',
  lastTransitionTime: '2026-11-23T05:17:08Z',
  reason: 'NetworkDefaultRoute',
  message: 'eth0 carries the default route',
};

const groupObject = {
  apiVersion: 'wholegroup.dev/v1alpha1',
  kind: 'IOMMUGroup',
  metadata: { name: 'worker-1-0000-04-00-0', labels: { 'wholegroup.dev/node': 'worker-1' } },
  status: {
    nodeName: 'worker-1',
    groupNumber: 3,
    leader: '0000:04:00.0',
    resourceName: 'example.com/nic',
    policy: 'nics',
    numaNode: null,
    owner: 'Kernel',
    phase: 'WithHost',
    members: [
      {
        ...{
          address: '0000:04:00.0',
          vendor: '8086',
          device: '1572',
          class: '020000',
          description: 'Ethernet',
        },
        ...{ role: 'primary', driver: 'i40e', originalDriver: null, vfioDevice: null },
      },
    ],
    blockers: [
      {
        ...{
          kind: 'NetworkDefaultRoute',
          address: '0000:04:00.0',
          message: 'eth0 carries the default route',
        },
        ...{
          evidence: { path: '/proc/net/route', says: 'eth0 00000000' },
          remedy: 'Never released.',
          since: '2026-11-23T05:17:08Z',
        },
      },
    ],
    lease: null,
    conditions: [condition],
  },
};

test('an IOMMUGroup object is read with the defaults of its spec filled in', () => {
  const parsed = groupObjectSchema.parse(groupObject);
  assert.deepEqual(parsed.spec, { cordoned: false, cordonReason: '' });
  assert.deepEqual(parsed.status, groupObject.status);
});

const badGroups: Record<
  string,
  [change: (status: Record<string, unknown>) => void, message: RegExp]
> = {
  'an owner there is not': [
    (s) => (s['owner'] = 'Nobody'),
    /must be one of Kernel, None, Userspace, Mixed/,
  ],
  'a phase nearly right': [
    (s) => (s['phase'] = 'Asigned'),
    /must be one of .*did you mean Assigned\?/,
  ],
  'a field too much': [(s) => (s['extra'] = 1), /unknown field "extra"/],
  'a fractional group number': [
    (s) => (s['groupNumber'] = 1.5),
    /is 1\.5; must be number of the group/,
  ],
  'a condition with a bad reason': [
    (s) => (s['conditions'] = [{ ...condition, reason: 'no spaces' }]),
    /must be a reason in CamelCase/,
  ],
  'a condition with fractions of seconds': [
    (s) => (s['conditions'] = [{ ...condition, lastTransitionTime: '2026-11-23T05:17:08.5Z' }]),
    /must be a time like 2026-01-31T09:30:00Z/,
  ],
};

for (const [sentence, [change, message]] of Object.entries(badGroups)) {
  test(`an IOMMUGroup status is refused: ${sentence}`, () => {
    const object = structuredClone(groupObject);
    change(object.status);
    const parsed = groupObjectSchema.safeParse(object);
    assert.match(
      parsed.error?.issues.map((issue) => issue.message).join('\n') ?? 'accepted',
      message,
    );
  });
}

test('the name of a group object is made of node and leader', () => {
  assert.equal(groupObjectName('worker-1', '0000:65:00.0'), 'worker-1-0000-65-00-0');
});
