// PassthroughPolicy as users write it: the one schema behind policy files and the custom resource.
import * as z from 'zod';
import { blockerKinds, isWaivable } from '../ownership/catalogue.ts';
import { type HostUseKind, hostUseKinds } from '../ownership/use.ts';
import { parseResourceName } from '../policy/resource-name.ts';
import { conditionSchema } from './condition.ts';
import {
  exactly,
  list,
  oneOf,
  type RelationProblem,
  relation,
  shown,
  strict,
  text,
  textThat,
  wholeNumber,
} from './forms.ts';
import { apiVersion, labels, objectMeta } from './metadata.ts';
import { nearest } from './nearest.ts';
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

const resourceName = textThat('an extended resource name, for example example.com/nic', (value) => {
  const name = parseResourceName(value);
  return name.ok ? null : `is ${name.problem}`;
});

function primariesProblems({ min, max }: Readonly<Record<string, unknown>>): RelationProblem[] {
  if (typeof min !== 'number' || typeof max !== 'number' || min <= max) return [];
  return [{ at: [], message: `min is ${min} and max is ${max}; min must not be more than max` }];
}

function specProblems(spec: Readonly<Record<string, unknown>>): RelationProblem[] {
  const { companions, companionDevices, waive } = spec;
  const problems: RelationProblem[] = [];
  const listed = Array.isArray(companionDevices) && companionDevices.length > 0;
  if (companions === 'Listed' && companionDevices !== undefined && !listed) {
    const message = 'is missing or empty; companions: Listed needs at least one selector here';
    problems.push({ at: ['companionDevices'], message });
  }
  if (listed && (companions === 'SameSlot' || companions === 'Any')) {
    const message = `is only allowed with companions: Listed (companions is ${companions})`;
    problems.push({ at: ['companionDevices'], message });
  }
  const kinds: readonly unknown[] = Array.isArray(waive) ? waive : [];
  kinds.forEach((kind, index) => {
    if (kinds.indexOf(kind) < index)
      problems.push({ at: ['waive', index], message: `${shown(kind)} is listed twice` });
  });
  return problems;
}

/** spec of a PassthroughPolicy. */
export const policySpecSchema = strict({
  resourceName,
  nodeSelector: strict({ matchLabels: labels }).optional(),
  priority: wholeNumber('precedence among policies for one group, higher wins', {
    min: -2_147_483_648,
    max: 2_147_483_647,
  }).default(0),
  devices: list('a list of at least one selector', deviceSelectorSchema).min(1, {
    error: 'is an empty list; must have at least one selector, for example {vendor: "10de"}',
  }),
  companions: oneOf(['SameSlot', 'Listed', 'Any']).default('SameSlot'),
  companionDevices: list('a list of selectors', deviceSelectorSchema).default([]),
  primaries: strict({
    min: wholeNumber('fewest selected devices in a group', { min: 1, max: 4096 }).default(1),
    max: wholeNumber('most selected devices in a group', { min: 1, max: 4096 }).default(1),
  })
    .check(relation(primariesProblems))
    .default({ min: 1, max: 1 }),
  binding: oneOf(['OnAllocate', 'Eager']).default('OnAllocate'),
  access: oneOf(['Group', 'Cdev', 'Auto']).default('Auto'),
  vfioDriver: text(
    'the name of a VFIO driver, for example vfio-pci',
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  ).default('vfio-pci'),
  waive: list('a list of kinds of host use', waived).default([]),
  reset: oneOf(['Required', 'Preferred', 'Never']).default('Preferred'),
  deviceNodes: nodeOwnerSchema.optional(),
}).check(relation(specProblems));

const groupCounts = strict({
  matched: wholeNumber('groups this policy selects', count),
  offered: wholeNumber('groups offered to the kubelet', count),
  assigned: wholeNumber('groups that pods have', count),
  blocked: wholeNumber('groups with blockers', count),
  faulted: wholeNumber('groups that need a person', count),
});

/** status of a PassthroughPolicy; written by the controller. Conditions: Ready, Conflicting. */
export const policyStatusSchema = strict({
  observedGeneration: wholeNumber('generation this status describes', {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  }),
  groups: groupCounts,
  conditions: list('conditions', conditionSchema),
});

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
