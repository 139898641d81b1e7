// IOMMUGroup: one group of one node, written by the agent; the administrator owns spec (cordon).
import type * as z from 'zod';
import { type BlockerKind, blockerKinds } from '../ownership/catalogue.ts';
import { owners } from '../ownership/owner.ts';
import { conditionList } from './condition.ts';
import {
  exactly,
  flag,
  list,
  oneOf,
  prose,
  type RelationProblem,
  relation,
  strict,
  time,
  wholeNumber,
  word,
} from './forms.ts';
import { apiVersion, objectMeta } from './metadata.ts';
import type { Rule } from './rules.ts';

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
  cordonReason: prose('why it is out of service, in words', 1024).default(''),
}).describe('what a person wants of the group');

const member = strict({
  address: word('PCI address, or device name of a member that is not PCI'),
  vendor: word('vendor id').optional(),
  device: word('device id').optional(),
  class: word('class code').optional(),
  description: prose('what it is, in words', 256).optional(),
  role: oneOf(['primary', 'companion', 'bridge', 'other']).describe(
    'primary: a policy asks for it; companion: it comes along; bridge: it stays with the host; other: not PCI',
  ),
  driver: word('driver bound now; none when it is not given').optional(),
  originalDriver: word('driver bound before the claim').optional(),
  vfioDevice: word('VFIO device, for example vfio0').optional(),
}).describe('a member of the group');

const blocker = strict({
  kind: oneOf(blockerKinds as readonly [BlockerKind, ...BlockerKind[]]).describe('kind of reason'),
  address: word('address of the member it is about'),
  message: prose('the reason in words'),
  evidence: strict({
    path: word('file that was read'),
    says: prose('what it said'),
  }).describe('how it is known'),
  remedy: prose('what a person does about it'),
  since: time('when it was seen first'),
}).describe('a reason why the group cannot be released now');

const pod = strict({
  namespace: word('namespace of the pod'),
  name: word('name of the pod'),
  uid: word('uid of the pod').optional(),
  container: word('name of the container').optional(),
}).describe('the pod; not given while it is not known yet');

const lease = strict({
  pod: pod.optional(),
  since: time('when the lease was taken'),
}).describe('who has the group; not given while nobody has it');

const fault = strict({
  reason: word('kind of the fault'),
  message: prose('the fault in words'),
}).describe('why the group needs a person; not given while it needs none');

const passed = strict({
  policy: word('name of the policy'),
  reason: oneOf(['OutOfRange', 'Outranked']).describe(
    'OutOfRange: the group has more or fewer selected devices than it takes; Outranked: another policy goes first',
  ),
  message: prose('the same in words'),
}).describe('a policy that selects members of the group and does not get it');

const summary = strict({
  devices: word('address of the leader, and how many members are beside it'),
  why: prose('kind of the first blocker, or of the fault; empty when there is none', 256),
  pod: word('namespace and name of the pod that has it; <none> while none has'),
}).describe('the state in the words of tables');

/** status of an IOMMUGroup. */
export const groupStatusSchema = strict({
  observedGeneration: wholeNumber(
    'generation of the spec that this status goes by',
    anyNumber,
  ).optional(),
  nodeName: word('name of the node'),
  groupNumber: wholeNumber(
    'number of the group in this boot; not given while it has none',
    anyNumber,
  ).optional(),
  leader: word('address of the leader: the name of the group on its node'),
  resourceName: word('resource it is offered as').optional(),
  policy: word('name of the policy that selects it').optional(),
  numaNode: wholeNumber('NUMA node of the leader', anyNumber).optional(),
  owner: oneOf(owners).describe('who owns the group, told from what can be observed'),
  phase: oneOf(groupPhases).describe('where the group is on its way between host and pod'),
  members: list('members of the group', member),
  blockers: list('reasons why it cannot be released now', blocker),
  lease: lease.optional(),
  fault: fault.optional(),
  passed: list('policies that select the group and do not get it', passed, 64).optional(),
  summary,
  conditions: conditionList(groupConditionTypes),
}).describe('what the agent of the node sees; written by it');

/** Name of the object of a group: `<node>-<leader with - for : and .>`. */
export function groupObjectName(nodeName: string, leader: string): string {
  return `${nodeName}-${leader.replaceAll(/[:.]/g, '-')}`;
}

const leaderAtTheEnd = /-[0-9a-f]{4,8}-[0-9a-f]{2}-[01][0-9a-f]-[0-7]$/;
const nameForm = 'metadata.name must be <node>-<leader with - for : and .>';
const otherName = 'status.nodeName and status.leader must be those in metadata.name';

type Loose = Readonly<Record<string, unknown>>;

function nameProblems({ metadata, status }: Loose): RelationProblem[] {
  const { name } = (metadata ?? {}) as Loose;
  if (typeof name !== 'string') return [];
  if (!leaderAtTheEnd.test(name)) return [{ at: [], message: nameForm }];
  const { nodeName, leader } = (status ?? {}) as Loose;
  if (typeof nodeName !== 'string' || typeof leader !== 'string') return [];
  return groupObjectName(nodeName, leader) === name ? [] : [{ at: [], message: otherName }];
}

/** What nameProblems says. */
export const groupRules: readonly Rule[] = [
  { rule: `self.metadata.name.matches(r'${leaderAtTheEnd.source}')`, message: nameForm },
  {
    rule: "!has(self.status) || self.metadata.name == self.status.nodeName + '-' + self.status.leader.replace(':', '-').replace('.', '-')",
    message: otherName,
  },
];

/** A whole IOMMUGroup object. */
export const groupObjectSchema = strict({
  apiVersion: exactly(apiVersion),
  kind: exactly('IOMMUGroup'),
  metadata: objectMeta,
  spec: groupSpecSchema.default({ cordoned: false, cordonReason: '' }),
  status: groupStatusSchema.optional(),
}).check(relation(nameProblems));

/** spec of an IOMMUGroup. */
export type GroupSpec = z.output<typeof groupSpecSchema>;

/** status of an IOMMUGroup. */
export type GroupStatus = z.output<typeof groupStatusSchema>;

/** An IOMMUGroup object. */
export type GroupObject = z.output<typeof groupObjectSchema>;
