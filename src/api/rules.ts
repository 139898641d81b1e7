// Rules of the API server beside a schema: what a schema alone cannot say, in the Common Expression Language. They
// travel as metadata of the zod schema whose own checks say the same, so that server and agent refuse alike.
import type * as z from 'zod';

/** One entry of x-kubernetes-validations. `self` is the value that carries it. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** A message with values in it; `message` is what remains when it cannot be computed. */
  readonly messageExpression?: string;
  /** The field that is blamed, `.field`, when it is not the whole value. */
  readonly fieldPath?: string;
}

/** A schema with rules for the API server; those it has already stay. */
export function ruled<Schema extends z.ZodType>(schema: Schema, rules: readonly Rule[]): Schema {
  const meta = schema.meta() ?? {};
  const before = (meta['x-kubernetes-validations'] ?? []) as readonly Rule[];
  return schema.meta({ ...meta, 'x-kubernetes-validations': [...before, ...rules] });
}

/** A text of CEL in which nothing is an escape. */
export function celText(text: string): string {
  if (text.includes("'")) return `r"${text}"`;
  return `r'${text}'`;
}

/** The rule that a text fits a pattern. */
export function fits(pattern: RegExp, message: string): Rule {
  return { rule: `self.matches(${celText(pattern.source)})`, message };
}
