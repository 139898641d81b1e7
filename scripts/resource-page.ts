// docs/reference/custom-resources.md, made from the custom resource definitions: what is said to the API server is what
// is said to people.
import { customResourceDefinitions } from '../src/api/definitions.ts';
import type { StructuralSchema } from '../src/api/structural.ts';
import { page, table } from './markdown.ts';

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string; readonly shortNames: readonly string[] };
    readonly versions: readonly [
      {
        readonly additionalPrinterColumns: readonly {
          readonly name: string;
          readonly jsonPath: string;
          readonly description: string;
          readonly priority?: number;
        }[];
        readonly selectableFields: readonly { readonly jsonPath: string }[];
        readonly schema: { readonly openAPIV3Schema: StructuralSchema };
      },
    ];
  };
}

function typeText({ type, items, additionalProperties, format }: StructuralSchema): string {
  if (items !== undefined) return `list of ${typeText(items)}`;
  if (additionalProperties !== undefined) return `map of ${typeText(additionalProperties)}`;
  return format === 'date-time' ? 'time' : (type ?? '');
}

function range(least: unknown, most: unknown): string | null {
  return typeof least === 'number' && typeof most === 'number' ? `${least} to ${most}` : null;
}

/** What else is allowed: the words, the bounds. */
function limits(schema: StructuralSchema): string {
  const words = (schema['enum'] ?? schema.items?.['enum']) as readonly string[] | undefined;
  const parts = [
    words === undefined || words.length > 12 ? null : words.map((word) => `\`${word}\``).join(', '),
    range(schema['minimum'], schema['maximum']),
    schema['default'] === undefined ? null : `default \`${JSON.stringify(schema['default'])}\``,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

type Row = readonly [path: string, type: string, limits: string, description: string];

/**
 * A row for every field under a schema, in the order of the schema. Items of a list that were told before are told by
 * the place; `told` is where.
 */
function rows(schema: StructuralSchema, path: string, told: Map<string, string>): Row[] {
  const inner = schema.items ?? schema;
  const at = schema.items === undefined ? path : `${path}[]`;
  if (schema.items?.properties !== undefined) {
    const whole = JSON.stringify(schema.items);
    const before = told.get(whole);
    if (before !== undefined) return [[`\`${at}\``, 'object', '', `as \`${before}\``]];
    told.set(whole, at);
  }
  return Object.entries(inner.properties ?? {}).flatMap(([name, field]) => {
    const full = `${at}.${name}`;
    const row: Row = [`\`${full}\``, typeText(field), limits(field), field.description ?? ''];
    return [row, ...rows(field, full, told)];
  });
}

function section(definition: Definition): string {
  const { names, versions } = definition.spec;
  const [{ additionalPrinterColumns: columns, selectableFields, schema }] = versions;
  const { description = '', properties = {} } = schema.openAPIV3Schema;
  const told = new Map<string, string>();
  const fields = ['spec', 'status'].flatMap((part) => {
    const own = properties[part];
    return own === undefined ? [] : rows(own, part, told);
  });
  const selectable = selectableFields.map(({ jsonPath }) => `\`${jsonPath.slice(1)}\``).join(', ');
  return [
    `## ${names.kind}`,
    `${description} Short name \`${names.shortNames[0]}\`. Field selectors: ${selectable}.`,
    table(
      ['column', 'field', 'meaning'],
      columns.map(({ name, jsonPath, description: about, priority }) => [
        `${name.toUpperCase()}${priority === 1 ? ' (`-o wide`)' : ''}`,
        ...[`\`${jsonPath.slice(1)}\``, about],
      ]),
    ),
    table(['field', 'type', 'allowed', 'meaning'], fields),
  ].join('\n\n');
}

/** docs/reference/custom-resources.md */
export function customResourcesPage(): string {
  const sections = [...customResourceDefinitions().values()].map((each) =>
    section(each as Definition),
  );
  const intro =
    'Everything is in the API group `wholegroup.dev/v1alpha1` and belongs to no namespace; `kubectl get wholegroup` lists ' +
    'all of it. A policy is written by people and its status by the controller; groups and nodes are written by the ' +
    'agent of their node, except for the `spec` of a group, which belongs to people. `deploy/admission` holds everybody ' +
    'to that. `kubectl explain ptp.spec` says the same as this page.';
  return page('Custom resources', 'src/api', intro, ...sections);
}
