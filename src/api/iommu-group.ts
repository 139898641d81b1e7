// IOMMUGroup: one group of one node, written by the agent; the administrator owns spec (cordon).
import * as z from 'zod';
import { type BlockerKind, blockerKinds } from '../ownership/catalogue.ts';
import { owners } from '../ownership/owner.ts';
import { conditionSchema } from './condition.ts';
import { exactly, flag, list, oneOf, prose, strict, wholeNumber, word } from './forms.ts';
import { apiVersion, objectMeta } from './metadata.ts';

const anyNumber = { min: 0, max: Number.MAX_SAFE_INTEGER } as const;

/** Where a group is on its way between host and pod. */
export const groupPhases = [
  'WithHost',
  'Claiming',
  'Claimed',
  'Assigned',
  'Returning',
  'Faulted',
] as const;

/** One of the phases. */
export type GroupPhase = (typeof groupPhases)[number];

/** Types of the conditions of an IOMMUGroup. */
export const groupConditionTypes = ['Releasable', 'Offered', 'Healthy'] as const;

/** The label that carries the node's name. */
export const nodeLabel = 'wholegroup.dev/node';

/** spec of an IOMMUGroup: a person takes the group out of service without touching policies. */
export const groupSpecSchema = strict({
  cordoned: flag('whether the group is out of service').default(false),
  cordonReason: prose('why, in words').default(''),
});

const member = strict({
  address: word('PCI address, or device name of a member that is not PCI'),
  vendor: word('vendor id').nullable(),
  device: word('device id').nullable(),
  class: word('class code').nullable(),
  description: prose('what it is, in words'),
  role: oneOf(['primary', 'companion', 'bridge', 'other']),
  driver: word('driver bound now').nullable(),
  originalDriver: word('driver bound before the claim').nullable(),
  vfioDevice: word('VFIO device, for example vfio0').nullable(),
});

const blocker = strict({
  kind: oneOf(blockerKinds as readonly [BlockerKind, ...BlockerKind[]]),
  address: word('address of the member it is about'),
  message: prose('the reason in words'),
  evidence: strict({ path: word('file that was read'), says: prose('what it said') }),
  remedy: prose('what a person does about it'),
  since: z.iso.datetime().describe('when it was seen first'),
});

const lease = strict({
  pod: strict({
    namespace: word('namespace'),
    name: word('name of the pod'),
    uid: word('uid of the pod').nullable(),
    container: word('name of the container'),
  }).nullable(),
  since: z.iso.datetime().describe('when the lease was taken'),
});

/** status of an IOMMUGroup. */
export const groupStatusSchema = strict({
  nodeName: word('name of the node'),
  groupNumber: wholeNumber(
    'number of the group in this boot; null while it has none',
    anyNumber,
  ).nullable(),
  leader: word('address of the leader'),
  resourceName: word('resource it is offered as').nullable(),
  policy: word('name of the policy that selects it').nullable(),
  numaNode: wholeNumber('NUMA node of the leader', anyNumber).nullable(),
  owner: oneOf(owners),
  phase: oneOf(groupPhases),
  members: list('members', member),
  blockers: list('reasons why it cannot be released now', blocker),
  lease: lease.nullable(),
  conditions: list('conditions', conditionSchema),
});

/** A whole IOMMUGroup object. */
export const groupObjectSchema = strict({
  apiVersion: exactly(apiVersion),
  kind: exactly('IOMMUGroup'),
  metadata: objectMeta,
  spec: groupSpecSchema.default({ cordoned: false, cordonReason: '' }),
  status: groupStatusSchema.optional(),
});

/** spec of an IOMMUGroup. */
export type GroupSpec = z.output<typeof groupSpecSchema>;

/** status of an IOMMUGroup. */
export type GroupStatus = z.output<typeof groupStatusSchema>;

/** An IOMMUGroup object. */
export type GroupObject = z.output<typeof groupObjectSchema>;

/** Name of the object of a group: `<node>-<leader with - for : and .>`. */
export function groupObjectName(nodeName: string, leader: string): string {
  return `${nodeName}-${leader.replaceAll(/[:.]/g, '-')}`;
}
