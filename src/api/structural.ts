// From a zod schema to the structural schema of a custom resource definition: what the API server allows in one, and
// nothing that it fills in or checks by itself. Refuses a schema with a field that nobody has described.
import * as z from 'zod';
import { assert } from '../base/assert.ts';

/** A node of an OpenAPI schema. */
export interface StructuralSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly [keyword: string]: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/** Keywords in the order of the YAML; those of zod that are not here have no meaning for the server. */
const keywords = [
  ...['description', 'type', 'format', 'default', 'enum', 'nullable', 'pattern'],
  ...['minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems', 'maxProperties'],
  ...['required', 'properties', 'items', 'additionalProperties'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-validations'],
] as const;

function children(keyword: string, value: unknown, path: string): unknown {
  switch (keyword) {
    case 'properties':
      return Object.fromEntries(
        Object.entries(value as Json).map(([field, schema]) => [
          field,
          converted(schema as Json, `${path}.${field}`),
        ]),
      );
    case 'items':
    case 'additionalProperties':
      return converted(value as Json, `${path}[]`);
    default:
      return value;
  }
}

/** Unknown fields are pruned by the server, or refused, as the client asks; a schema cannot say more. */
function isKept(schema: Json, keyword: string): boolean {
  if (schema[keyword] === undefined) return false;
  if (keyword === 'additionalProperties') return schema[keyword] !== false;
  // The format says it already, and with a hundred characters less.
  if (keyword === 'pattern') return schema['format'] !== 'date-time';
  return true;
}

function converted(schema: Json, path: string): StructuralSchema {
  assert(typeof schema['description'] === 'string', `${path} has no description`);
  assert(typeof schema['type'] === 'string', `${path} has no single type`);
  const known = keywords.filter((keyword) => isKept(schema, keyword));
  return Object.fromEntries(
    known.map((keyword) => [keyword, children(keyword, schema[keyword], path)]),
  );
}

/** The structural schema of a zod schema, as somebody who writes an object sees it. `path` names it in refusals. */
export function structuralSchema(schema: z.ZodType, path: string): StructuralSchema {
  const json = z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0', reused: 'inline' });
  return converted(json, path);
}
