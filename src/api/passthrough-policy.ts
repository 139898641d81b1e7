// PassthroughPolicy as users write it: the one schema behind policy files and the custom resource.
import * as z from 'zod';
import { blockerKinds, isWaivable } from '../ownership/catalogue.ts';
import { type HostUseKind, hostUseKinds } from '../ownership/use.ts';
import { conditionList } from './condition.ts';
import {
  exactly,
  list,
  oneOf,
  type RelationProblem,
  relation,
  shown,
  strict,
  text,
  wholeNumber,
  word,
} from './forms.ts';
import { apiVersion, labels, objectMeta } from './metadata.ts';
import { nearest } from './nearest.ts';
import { resourceNameSchema } from './resource-name.ts';
import { ruled } from './rules.ts';
import { deviceSelectorSchema, nodeOwnerSchema } from './selector.ts';

const count = { min: 0, max: 2_147_483_647 } as const;

/** The kinds of host use that a policy may waive by name, in the order of the documentation. */
export const waivableKinds: readonly HostUseKind[] = hostUseKinds.filter(isWaivable);

function waiveProblem(kind: unknown): string {
  const form = `must be one of ${waivableKinds.join(', ')}`;
  if ((blockerKinds as readonly unknown[]).includes(kind))
    return `${String(kind)} can never be waived; ${form}`;
  const near = typeof kind === 'string' ? nearest(kind, waivableKinds) : null;
  return `is ${shown(kind)}${near === null ? '' : ` (did you mean ${near}?)`}; ${form}`;
}

const waived = z
  .enum(waivableKinds, { error: (issue) => waiveProblem(issue.input) })
  .describe('a kind of host use that is passed over');

function primariesProblems({ min, max }: Readonly<Record<string, unknown>>): RelationProblem[] {
  if (typeof min !== 'number' || typeof max !== 'number' || min <= max) return [];
  return [{ at: [], message: `min is ${min} and max is ${max}; min must not be more than max` }];
}

const primariesRule = {
  rule: 'self.min <= self.max',
  message: 'min must not be more than max',
};

const companionsMissing =
  'is missing or empty; companions: Listed needs at least one selector here';
const companionsUnlisted = 'is only allowed with companions: Listed';

function specProblems(spec: Readonly<Record<string, unknown>>): RelationProblem[] {
  const { companions, companionDevices, waive } = spec;
  const problems: RelationProblem[] = [];
  const listed = Array.isArray(companionDevices) && companionDevices.length > 0;
  if (companions === 'Listed' && companionDevices !== undefined && !listed) {
    problems.push({ at: ['companionDevices'], message: companionsMissing });
  }
  if (listed && (companions === 'SameSlot' || companions === 'Any')) {
    const message = `${companionsUnlisted} (companions is ${companions})`;
    problems.push({ at: ['companionDevices'], message });
  }
  const kinds: readonly unknown[] = Array.isArray(waive) ? waive : [];
  kinds.forEach((kind, index) => {
    if (kinds.indexOf(kind) < index)
      problems.push({ at: ['waive', index], message: `${shown(kind)} is listed twice` });
  });
  return problems;
}

/** What specProblems says; that nothing is waived twice, the server knows from the type of the list. */
const specRules = [
  {
    rule: "self.companions != 'Listed' || size(self.companionDevices) > 0",
    message: companionsMissing,
    fieldPath: '.companionDevices',
  },
  {
    rule: "self.companions == 'Listed' || size(self.companionDevices) == 0",
    message: companionsUnlisted,
    messageExpression: `'${companionsUnlisted} (companions is ' + self.companions + ')'`,
    fieldPath: '.companionDevices',
  },
];

const primaries = ruled(
  strict({
    min: wholeNumber('fewest selected devices in a group', { min: 1, max: 4096 }).default(1),
    max: wholeNumber('most selected devices in a group', { min: 1, max: 4096 }).default(1),
  })
    .check(relation(primariesProblems))
    .describe('groups with fewer or more selected devices are not offered under this name'),
  [primariesRule],
);

const specFields = strict({
  resourceName: resourceNameSchema.describe(
    'the name that pods ask for: an extended resource name, for example example.com/nic',
  ),
  nodeSelector: strict({ matchLabels: labels })
    .describe('labels of the nodes that the policy is for; every node when it is not given')
    .optional(),
  priority: wholeNumber('precedence among policies for one group, higher wins', {
    min: -2_147_483_648,
    max: 2_147_483_647,
  }).default(0),
  devices: list('a list of at least one selector', deviceSelectorSchema)
    .min(1, {
      error: 'is an empty list; must have at least one selector, for example {vendor: "10de"}',
    })
    .meta({
      description:
        'the devices that are offered: a list of at least one selector; functions that fit any of them are primaries',
      'x-kubernetes-list-type': 'atomic',
    }),
  companions: oneOf(['SameSlot', 'Listed', 'Any'])
    .describe(
      'which other functions of the group may come along: those of the same slot, those that companionDevices select, any',
    )
    .default('SameSlot'),
  companionDevices: list('a list of selectors', deviceSelectorSchema)
    .default([])
    .describe('a list of selectors: the functions that may come along, with companions: Listed'),
  primaries: primaries.default({ min: 1, max: 1 }),
  binding: oneOf(['OnAllocate', 'Eager'])
    .describe('when the host gives the devices up: when a pod comes, or as soon as it can')
    .default('OnAllocate'),
  access: oneOf(['Group', 'Cdev', 'Auto'])
    .describe(
      'how the pod opens the devices: /dev/vfio/N, or /dev/vfio/devices/vfioN with /dev/iommu, or what the node has',
    )
    .default('Auto'),
  vfioDriver: text(
    'the name of a VFIO driver, for example vfio-pci',
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    253,
  ).default('vfio-pci'),
  waive: list('a list of kinds of host use', waived)
    .meta({
      description: 'kinds of host use that are passed over, one by one: the host loses them',
      'x-kubernetes-list-type': 'set',
    })
    .default([]),
  reset: oneOf(['Required', 'Preferred', 'Never'])
    .describe('whether devices are reset between tenants')
    .default('Preferred'),
  deviceNodes: nodeOwnerSchema.optional(),
}).check(relation(specProblems));

/** spec of a PassthroughPolicy. */
export const policySpecSchema = ruled(
  specFields.describe('what to offer, under which name, and what may come along'),
  specRules,
);

const groupCounts = strict({
  matched: wholeNumber('groups this policy selects', count),
  offered: wholeNumber('groups offered to the kubelet', count),
  assigned: wholeNumber('groups that pods have', count),
  blocked: wholeNumber('groups with blockers', count),
  faulted: wholeNumber('groups that need a person', count),
}).describe('groups of all nodes, counted');

const nodeCounts = strict({
  selected: wholeNumber('nodes that nodeSelector selects', count),
  offering: wholeNumber('nodes that offer at least one group', count),
  names: list(
    'names of nodes that have matching groups, in order, the first of them',
    word('name of a node'),
    100,
  ),
}).describe('nodes that this policy concerns');

const conflict = strict({
  policy: word('name of the other policy'),
  groups: wholeNumber('groups that both select', count),
  winner: word('name of the policy that has these groups'),
}).describe('another policy that selects groups of this one');

/** Types of the conditions of a PassthroughPolicy. */
export const policyConditionTypes = ['Ready', 'Conflicting'] as const;

/** status of a PassthroughPolicy; written by the controller. */
export const policyStatusSchema = strict({
  observedGeneration: wholeNumber('generation of the spec that this status describes', {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  }),
  groups: groupCounts,
  nodes: nodeCounts.optional(),
  conflicts: list('policies that select groups of this one', conflict, 64).optional(),
  conditions: conditionList(policyConditionTypes),
}).describe('what became of the policy; written by the controller');

/** status of a PassthroughPolicy. */
export type PolicyStatus = z.output<typeof policyStatusSchema>;

/** A whole PassthroughPolicy object. Its status is not judged here: an older or newer writer may have made it. */
export const policyObjectSchema = strict({
  apiVersion: exactly(apiVersion),
  kind: exactly('PassthroughPolicy'),
  metadata: objectMeta,
  spec: policySpecSchema,
  status: z.unknown().optional(),
});

/** A PassthroughPolicy object with every default filled in. */
export type PolicyObject = z.output<typeof policyObjectSchema>;
