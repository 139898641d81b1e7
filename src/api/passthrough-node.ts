// PassthroughNode: one per node, written by the agent. Answers "why does this node offer nothing?".
import type * as z from 'zod';
import { conditionSchema } from './condition.ts';
import { exactly, list, oneOf, prose, strict, wholeNumber, word } from './forms.ts';
import { apiVersion, objectMeta } from './metadata.ts';

const count = { min: 0, max: 2_147_483_647 } as const;

/** A fact about the machine: the third value is an honest "could not be read". */
const fact = (form: string): z.ZodEnum<{ Yes: 'Yes'; No: 'No'; Unknown: 'Unknown' }> =>
  oneOf(['Yes', 'No', 'Unknown']).describe(form);

/** Types of the conditions of a PassthroughNode. */
export const nodeConditionTypes = [
  'Ready',
  'IommuEnabled',
  'KernelSuitable',
  'DevicePluginRegistered',
] as const;

const resource = strict({
  resourceName: word('name of the resource'),
  registered: fact('whether the kubelet has registered it'),
  offered: wholeNumber('devices offered', count),
});

/** status of a PassthroughNode. */
export const nodeStatusSchema = strict({
  kernelRelease: word('release of the running kernel').nullable(),
  iommu: fact('whether an IOMMU is active'),
  iommuUnits: list('names of IOMMU units', word('name of a unit')),
  interruptRemapping: fact('whether interrupts are remapped'),
  ownershipAccounting: fact('whether the kernel refuses mixed groups'),
  vfioDrivers: list('VFIO drivers loaded', word('name of a driver')),
  vfioContainer: fact('whether /dev/vfio/vfio is there'),
  iommufd: fact('whether /dev/iommu is there'),
  resources: list('resources offered by this node', resource),
  groups: strict({
    total: wholeNumber('groups of this node', count),
    offered: wholeNumber('groups offered', count),
    assigned: wholeNumber('groups that pods have', count),
    blocked: wholeNumber('groups with blockers', count),
    faulted: wholeNumber('groups that need a person', count),
  }),
  quarantinedRecords: wholeNumber('record files that could not be used', count),
  message: prose('the state of the node in one sentence'),
  conditions: list('conditions', conditionSchema),
});

/** A whole PassthroughNode object. It has no spec: nothing about a node is asked for here. */
export const nodeObjectSchema = strict({
  apiVersion: exactly(apiVersion),
  kind: exactly('PassthroughNode'),
  metadata: objectMeta,
  status: nodeStatusSchema.optional(),
});

/** status of a PassthroughNode. */
export type NodeStatus = z.output<typeof nodeStatusSchema>;

/** A PassthroughNode object. */
export type NodeObject = z.output<typeof nodeObjectSchema>;
