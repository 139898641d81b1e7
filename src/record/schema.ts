// The zod schema of a durable group record: exactly the fields of GroupRecord, nothing beside them, and
// the relations between them that every writer keeps.
import * as z from 'zod';
import type { GroupRecord } from '../ownership/record.ts';
import { isPciAddress, type PciAddress } from '../pci/address.ts';
import type { GroupKey } from '../pci/group.ts';

const pciAddress = z.custom<PciAddress>(
  (value) => typeof value === 'string' && isPciAddress(value),
  'must be a PCI address of the form dddd:bb:dd.f',
);
const groupKey = z.custom<GroupKey>(
  (value) => typeof value === 'string' && value !== '',
  'must be the sorted member names, joined with commas',
);
const hexId = z.string().regex(/^[0-9a-f]{4}$/, 'must be four lower-case hex digits');
const wholeNumber = z.int().nonnegative();
const driverName = z.string().min(1).nullable();

const recordedMember = z.strictObject({
  address: pciAddress,
  role: z.enum(['primary', 'companion', 'bridge']),
  vendor: hexId,
  device: hexId,
  originalDriver: driverName,
  originalOverride: driverName,
});

const lease = z.strictObject({
  since: z.iso.datetime({ error: 'must be an ISO 8601 time in UTC' }),
  pod: z
    .strictObject({
      namespace: z.string().min(1),
      name: z.string().min(1),
      uid: z.string().min(1).nullable(),
      container: z.string().min(1),
    })
    .nullable(),
});

const answer = z.strictObject({
  delivery: z.enum(['cdi', 'device-nodes']),
  access: z.enum(['Group', 'Cdev']),
  deviceNodes: z.array(z.string().startsWith('/')),
});

const nodeOwner = z.strictObject({
  uid: wholeNumber,
  gid: wholeNumber,
  mode: wholeNumber.max(0o777),
});

const fields = {
  key: groupKey,
  leader: pciAddress,
  groupNumber: wholeNumber,
  bootId: z.string().min(1),
  phase: z.enum(['Claiming', 'Claimed', 'Assigned', 'Returning']),
  members: z.array(recordedMember).min(1),
  resourceName: z.string().min(1),
  policyName: z.string().min(1),
  vfioDriver: z.string().min(1),
  reset: z.enum(['Required', 'Preferred', 'Never']),
  nodeOwner: nodeOwner.nullable(),
  lease: lease.nullable(),
  resetDue: z.boolean(),
  answer: answer.nullable(),
} satisfies Record<keyof GroupRecord, z.ZodType>;

/** A group record read back from disk. */
export const groupRecordSchema = z.strictObject(fields).superRefine((record, context) => {
  const addresses = record.members.map((member) => member.address);
  const problem = (path: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message });
  if (new Set(addresses).size !== addresses.length) problem('members', 'names one address twice');
  if (!addresses.includes(record.leader)) problem('leader', 'is not the address of a member');
  const names = new Set(record.key.split(','));
  const stranger = addresses.find((address) => !names.has(address));
  if (stranger !== undefined) problem('key', `does not name the member ${stranger}`);
}) satisfies z.ZodType<GroupRecord>;
