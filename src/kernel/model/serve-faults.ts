// The form of a fault as it is asked for from outside: one strict object for each kind of faults.ts.
import * as z from 'zod';
import type { Fault, FaultKind } from './faults.ts';
import * as scalar from './topology-scalars.ts';

const errno = scalar.textOf(/^E[A-Z0-9]+$/, 'the name of an errno, for example EBUSY');
const times = scalar.whole(1, 1_000_000).optional();
const match = { address: scalar.address.optional(), driver: scalar.name.optional(), times };
const path = scalar.textOf(/^\/\S{0,4000}$/, 'an absolute path, or a prefix that ends in *');
const onPath = { path, times };
const milliseconds = scalar.whole(0, 3_600_000);
const chance = z
  .number({ error: scalar.mustBe('a number from 0 to 1') })
  .min(0, { error: scalar.mustBe('a number from 0 to 1') })
  .max(1, { error: scalar.mustBe('a number from 0 to 1') });

function fault<Kind extends FaultKind, Shape extends z.core.$ZodLooseShape>(
  kind: Kind,
  shape: Shape,
) {
  return z.strictObject({ kind: z.literal(kind), ...shape });
}

const forms = [
  fault('unbind-hang', match),
  fault('remove-spin', match),
  fault('probe-errno', { errno, ...match }),
  fault('probe-defer', { retryMs: milliseconds, ...match }),
  fault('autoload-steal', { afterMs: milliseconds, ...match }),
  fault('override-loss', match),
  fault('reset-failure', { errno, ...match }),
  fault('dead', match),
  fault('d3cold', match),
  fault('uevent-loss', { chance, times }),
  fault('uevent-duplicate', { chance, times }),
  fault('uevent-reorder', { chance, times }),
  fault('read-errno', { errno, ...onPath }),
  fault('list-errno', { errno, ...onPath }),
  fault('write-errno', { errno, ...onPath }),
  fault('read-hang', onPath),
  fault('write-hang', onPath),
  fault('read-only', { errno: z.enum(['EROFS', 'EPERM']) }),
] as const;

const kinds = forms.map((form) => form.shape.kind.value).join(', ');

/** A fault of any kind. */
export const faultForm = z.discriminatedUnion('kind', forms, {
  error: scalar.mustBe(
    `a mapping with the field kind (one of ${kinds}) and the fields of that kind`,
  ),
});

/** The fault that a checked form means: absent fields are left out. */
export function faultOf(form: z.output<typeof faultForm>): Fault {
  const given = Object.entries(form).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as unknown as Fault;
}
