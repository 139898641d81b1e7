// The custom resource definitions: names, columns and selectable fields of each kind, around the schemas. deploy/crds
// is made from this by `npm run gen`.
import type * as z from 'zod';
import { groupObjectSchema, groupRules } from './iommu-group.ts';
import { apiGroup, apiVersionName } from './metadata.ts';
import { nodeObjectSchema } from './passthrough-node.ts';
import { policyObjectSchema, policyStatusSchema } from './passthrough-policy.ts';
import type { Rule } from './rules.ts';
import { type StructuralSchema, structuralSchema } from './structural.ts';

/** A column of `kubectl get`; `wide` ones only with -o wide. */
interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly path: string;
  readonly about: string;
  readonly wide?: boolean;
}

/** A kind with everything that is not in its schemas. */
interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  /** What an object of the kind is; `kubectl explain` begins with it. */
  readonly about: string;
  readonly spec: z.ZodType | null;
  readonly status: z.ZodType;
  readonly rules: readonly Rule[];
  readonly columns: readonly Column[];
  readonly selectable: readonly string[];
}

const condition = (type: string): string => `.status.conditions[?(@.type=="${type}")].status`;
const count = (name: string, field: string, about: string): Column => {
  return { name, type: 'integer', path: `.status.groups.${field}`, about };
};
const age: Column = {
  name: 'Age',
  type: 'date',
  path: '.metadata.creationTimestamp',
  about: 'time since the object was made',
};

const policy: Kind = {
  kind: 'PassthroughPolicy',
  plural: 'passthroughpolicies',
  shortName: 'ptp',
  about:
    'PassthroughPolicy says which PCI devices are offered to pods, under which resource name, and what may be taken from the host with them.',
  spec: policyObjectSchema.shape.spec,
  status: policyStatusSchema,
  rules: [],
  columns: [
    {
      name: 'Resource',
      type: 'string',
      path: '.spec.resourceName',
      about: 'name that pods ask for',
    },
    count('Matched', 'matched', 'groups that the policy selects'),
    count('Offered', 'offered', 'groups offered to the kubelet'),
    count('Assigned', 'assigned', 'groups that pods have'),
    count('Blocked', 'blocked', 'groups with blockers'),
    { name: 'Ready', type: 'string', path: condition('Ready'), about: 'whether it is in force' },
    {
      ...{ name: 'Conflicting', type: 'string', path: condition('Conflicting'), wide: true },
      about: 'whether another policy selects the same groups',
    },
    {
      ...{ name: 'Priority', type: 'integer', path: '.spec.priority', wide: true },
      about: 'precedence among policies',
    },
    age,
  ],
  selectable: ['.spec.resourceName', '.spec.binding'],
};

const group: Kind = {
  kind: 'IOMMUGroup',
  plural: 'iommugroups',
  shortName: 'ig',
  about:
    'IOMMUGroup is one IOMMU group of one node that a policy matches, or that is not with the host: who has it, and what keeps it from being released. Written by the agent of the node; spec belongs to the administrator.',
  spec: groupObjectSchema.shape.spec,
  status: groupObjectSchema.shape.status,
  rules: groupRules,
  columns: [
    { name: 'Node', type: 'string', path: '.status.nodeName', about: 'name of the node' },
    { name: 'Group', type: 'integer', path: '.status.groupNumber', about: 'number in this boot' },
    {
      ...{ name: 'Devices', type: 'string', path: '.status.summary.devices' },
      about: 'leader, and how many members are beside it',
    },
    { name: 'Owner', type: 'string', path: '.status.owner', about: 'who owns the group' },
    { name: 'Phase', type: 'string', path: '.status.phase', about: 'between host and pod' },
    { name: 'Resource', type: 'string', path: '.status.resourceName', about: 'offered as' },
    {
      ...{ name: 'Releasable', type: 'string', path: condition('Releasable') },
      about: 'whether nothing keeps it from being released',
    },
    { name: 'Why', type: 'string', path: '.status.summary.why', about: 'what keeps it' },
    { name: 'Pod', type: 'string', path: '.status.summary.pod', about: 'who has it' },
    { name: 'Policy', type: 'string', path: '.status.policy', about: 'selected by', wide: true },
    { name: 'Numa', type: 'integer', path: '.status.numaNode', about: 'NUMA node', wide: true },
    {
      ...{ name: 'Healthy', type: 'string', path: condition('Healthy'), wide: true },
      about: 'whether it needs no person',
    },
    {
      ...{ name: 'Cordoned', type: 'string', path: '.spec.cordoned', wide: true },
      about: 'whether a person took it out of service',
    },
    age,
  ],
  selectable: [
    ...['.spec.cordoned', '.status.nodeName', '.status.phase', '.status.owner'],
    ...['.status.resourceName', '.status.policy'],
  ],
};

const node: Kind = {
  kind: 'PassthroughNode',
  plural: 'passthroughnodes',
  shortName: 'ptn',
  about:
    'PassthroughNode says what a node can do and what its agent does there: why it offers what it offers, or nothing. Has the name of the node; written by its agent.',
  spec: null,
  status: nodeObjectSchema.shape.status,
  rules: [],
  columns: [
    { name: 'Iommu', type: 'string', path: '.status.iommu', about: 'whether an IOMMU is active' },
    { name: 'Kernel', type: 'string', path: '.status.kernelRelease', about: 'running kernel' },
    count('Groups', 'total', 'groups that a policy matches, or that are not with the host'),
    count('Offered', 'offered', 'groups offered to the kubelet'),
    count('Assigned', 'assigned', 'groups that pods have'),
    count('Blocked', 'blocked', 'groups with blockers'),
    { name: 'Ready', type: 'string', path: condition('Ready'), about: 'whether it can offer' },
    { name: 'Why', type: 'string', path: '.status.message', about: 'the state', wide: true },
    age,
  ],
  selectable: ['.status.iommu', '.status.kernelRelease'],
};

function objectSchema({ kind, about, spec, status, rules }: Kind): StructuralSchema {
  return {
    description: about,
    type: 'object',
    ...(spec !== null && policyOnly(kind) ? { required: ['spec'] } : {}),
    properties: {
      apiVersion: { description: `${apiGroup}/${apiVersionName}`, type: 'string' },
      kind: { description: kind, type: 'string' },
      metadata: { type: 'object' },
      ...(spec === null ? {} : { spec: structuralSchema(spec, `${kind}.spec`) }),
      status: structuralSchema(status, `${kind}.status`),
    },
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

/** Only a policy is nothing without its spec. */
function policyOnly(kind: string): boolean {
  return kind === policy.kind;
}

function printerColumn({ name, type, path, about, wide }: Column): object {
  return { name, type, jsonPath: path, description: about, ...(wide === true && { priority: 1 }) };
}

function definition(kind: Kind): object {
  const { plural, shortName, columns, selectable } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}`, labels: { 'app.kubernetes.io/name': 'wholegroup' } },
    spec: {
      group: apiGroup,
      scope: 'Cluster',
      names: {
        ...{ kind: kind.kind, listKind: `${kind.kind}List`, plural },
        ...{ singular: kind.kind.toLowerCase(), shortNames: [shortName] },
        categories: ['wholegroup'],
      },
      versions: [
        {
          ...{ name: apiVersionName, served: true, storage: true, subresources: { status: {} } },
          additionalPrinterColumns: columns.map(printerColumn),
          selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
          schema: { openAPIV3Schema: objectSchema(kind) },
        },
      ],
    },
  };
}

/** Every custom resource definition, by the plural of its kind. */
export function customResourceDefinitions(): ReadonlyMap<string, object> {
  return new Map([policy, group, node].map((kind) => [kind.plural, definition(kind)]));
}
