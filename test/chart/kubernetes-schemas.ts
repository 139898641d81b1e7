// Schemas for kubeconform, made from what a real API server says of itself: one file for each kind, strict, with all it
// refers to. Needs no network and knows exactly the version that was built.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

/** `/openapi/v2` of an API server, as far as it is read. */
export interface OpenApi {
  readonly definitions: Readonly<Record<string, Schema>>;
}

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

/** A definition as kubeconform -strict wants it: nothing that is not named. */
function strict(schema: Schema, name: string): unknown {
  if (name === quantity) return { type: ['string', 'number'] };
  if (schema.format === 'int-or-string') return { type: ['string', 'integer'] };
  const below = (each: Schema): unknown => strict(each, '');
  const open =
    schema.additionalProperties !== undefined ||
    schema['x-kubernetes-preserve-unknown-fields'] === true;
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, each]) => [key, below(each)]),
          ),
        }),
    ...(items === undefined ? {} : { items: below(items) }),
    ...(properties !== undefined && !open ? { additionalProperties: false } : {}),
    ...(typeof additionalProperties === 'object' && additionalProperties !== null
      ? { additionalProperties: below(additionalProperties) }
      : {}),
  };
}

/** Names of all definitions that one refers to, itself first. */
function reachable(name: string, definitions: OpenApi['definitions']): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    const text = JSON.stringify(definitions[next] ?? {});
    for (const [, other = ''] of text.matchAll(/"#\/definitions\/([^"]+)"/g)) open.push(other);
  }
  return found;
}

/** kubeconform's name for a kind: `daemonset-apps-v1.json`; of the core group `pod-v1.json`. */
function fileName(kind: { group: string; version: string; kind: string }): string {
  const group = kind.group.split('.')[0] ?? '';
  const parts = [kind.kind.toLowerCase(), ...(group === '' ? [] : [group]), kind.version];
  return `${parts.join('-')}.json`;
}

/** Writes the schemas of every kind into a folder: what `-schema-location FOLDER/{{...}}.json` finds. */
export function writeSchemas({ definitions }: OpenApi, folder: string): number {
  mkdirSync(folder, { recursive: true });
  let written = 0;
  for (const [name, definition] of Object.entries(definitions)) {
    for (const kind of definition['x-kubernetes-group-version-kind'] ?? []) {
      const needed = [...reachable(name, definitions)].map(
        (each) => [each, strict(definitions[each] ?? {}, each)] as const,
      );
      const schema = { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(needed) };
      writeFileSync(join(folder, fileName(kind)), JSON.stringify(schema));
      written++;
    }
  }
  return written;
}
