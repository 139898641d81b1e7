// What an operation of the control service is: the form of its arguments, a sentence, and what it does. The
// tables of operations are made of these.
import type { z } from 'zod';
import type { Errno } from '../fs.ts';
import type { FaultHandle } from './faults.ts';
import type { KernelModel } from './kernel-model.ts';
import type { Returned } from './operations/returned.ts';
import { mapping } from './topology-scalars.ts';

/** What operations work on. */
export interface Served {
  readonly model: KernelModel;
  /** Faults that were armed through the service, by the number that was answered. */
  readonly faults: Map<number, FaultHandle>;
}

/** What came of an operation: a value (null where there is nothing to tell) or an errno. */
export type Ran = { readonly value: unknown } | { readonly errno: Errno };

/** One operation. */
export interface Operation<Form extends z.ZodType = z.ZodType> {
  /** One sentence for people. */
  readonly does: string;
  readonly form: Form;
  run(served: Served, given: z.output<Form>): Ran | Promise<Ran>;
}

/** Makes an operation of its arguments' forms by name. */
export function operation<Shape extends z.core.$ZodLooseShape>(
  does: string,
  shape: Shape,
  run: (served: Served, given: z.output<ReturnType<typeof mapping<Shape>>>) => Ran | Promise<Ran>,
): Operation<ReturnType<typeof mapping<Shape>>> {
  return { does, form: mapping(shape), run };
}

/** Done, or the errno. */
export function ranOr(errno: Errno | null): Ran {
  return errno === null ? { value: null } : { errno };
}

/** A number, or the errno. */
export function ranReturned(returned: Returned): Ran {
  return returned.ok ? { value: returned.value } : { errno: returned.errno };
}
