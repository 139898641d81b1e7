// PassthroughNode: one per node, written by the agent. Answers "why does this node offer nothing?".
import type * as z from 'zod';
import { conditionList } from './condition.ts';
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
}).describe('a resource that the policies of this node offer');

const groups = strict({
  total: wholeNumber(
    'groups of this node that a policy matches, or that are not with the host',
    count,
  ),
  offered: wholeNumber('groups offered', count),
  blocked: wholeNumber('groups with blockers', count),
  withHost: wholeNumber('groups in phase WithHost', count),
  claiming: wholeNumber('groups in phase Claiming', count),
  claimed: wholeNumber('groups in phase Claimed', count),
  assigned: wholeNumber('groups in phase Assigned: pods have them', count),
  returning: wholeNumber('groups in phase Returning', count),
  faulted: wholeNumber('groups in phase Faulted: they need a person', count),
}).describe('groups of this node, counted');

/** status of a PassthroughNode. */
export const nodeStatusSchema = strict({
  agentVersion: word('version of the agent').optional(),
  kernelRelease: word('release of the running kernel').optional(),
  iommu: fact('whether an IOMMU is active'),
  iommuUnits: list('names of IOMMU units', word('name of a unit')),
  interruptRemapping: fact('whether interrupts are remapped'),
  ownershipAccounting: fact('whether the kernel refuses mixed groups'),
  vfioDrivers: list('VFIO drivers loaded', word('name of a driver')),
  vfioContainer: fact('whether /dev/vfio/vfio is there'),
  iommufd: fact('whether /dev/iommu is there'),
  resources: list('resources offered by this node', resource),
  groups,
  quarantinedRecords: wholeNumber('record files that could not be used', count),
  message: prose('the state of the node in one sentence'),
  conditions: conditionList(nodeConditionTypes),
}).describe('what the agent of the node sees; written by it');

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
