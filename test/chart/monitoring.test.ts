// Alerts and dashboard ask for metrics that there are, and values have a schema. Reads files alone: no Helm.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { metricCatalogue, type MetricEntry } from '../../src/observe/metric-catalogue.ts';
import { chartFolder } from './helm.ts';

const read = (path: string): string => readFileSync(join(chartFolder, path), 'utf8');

const metrics = new Map<string, MetricEntry>(Object.entries(metricCatalogue));

interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: Readonly<Record<string, string>>;
    }[];
  }[];
}
interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly description: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const alerts = (parse(read('files/alerts.yaml')) as Alerts).groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(read('files/dashboard.json')) as Dashboard;
const asked = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

for (const [who, expr] of asked) {
  test(`${who} asks for metrics and labels that there are: ${expr}`, () => {
    const names = expr.match(/\b(?:wholegroup|process)_\w+/g) ?? [];
    assert.ok(names.length > 0);
    for (const name of names) {
      const plain = name.replace(/_(?:bucket|count|sum)$/, '');
      assert.ok(metrics.has(name) || metrics.has(plain), `${name} is in the catalogue`);
    }
    for (const [, name = '', label = '', value = ''] of expr.matchAll(/(\w+)\{(\w+)="(\w+)"\}/g)) {
      const values = metrics.get(name.replace(/_count$/, ''))?.labels?.[label];
      assert.ok(values?.includes(value), `${name} has ${label}="${value}"`);
    }
  });
}

test('every alert says what is wrong and where to look', () => {
  for (const { alert, annotations } of alerts) {
    assert.ok(annotations['summary'] && annotations['description'], alert);
  }
});

test('every alert is a heading of docs/troubleshooting.md', () => {
  const page = readFileSync(join(chartFolder, '../../docs/troubleshooting.md'), 'utf8');
  for (const { alert } of alerts) assert.ok(page.includes(`\n## ${alert}\n`), alert);
});

test('every panel of the dashboard is there once and says what it shows', () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { title, description } of panels) assert.notEqual(description, '', title);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

test('the schema knows every value, and no other', () => {
  const both = (value: unknown, schema: Schema, path: string): void => {
    if (schema.properties === undefined) return;
    assert.equal(schema.additionalProperties, false, path);
    const keys = Object.keys(value as object);
    const known = Object.keys(schema.properties).filter((key) => `${path}${key}` !== 'global');
    assert.deepEqual(keys.sort(), known.sort(), path);
    for (const [key, below] of Object.entries(schema.properties))
      if (keys.includes(key))
        both((value as Readonly<Record<string, unknown>>)[key], below, `${path}${key}.`);
  };
  both(parse(read('values.yaml')), JSON.parse(read('values.schema.json')) as Schema, '');
});

test('every value is explained', () => {
  const text = read('values.yaml').split('\n');
  const unexplained = text.filter(
    (line, at) => /^\w+:/.test(line) && /^$/.test(text[at - 1] ?? '') && line.includes(': '),
  );
  assert.deepEqual(unexplained, []);
});
