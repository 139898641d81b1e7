// docs/reference/chart-values.md from the comments of charts/wholegroup/values.yaml: every value with its default and what
// it does. Reads the file as it is written by hand: two spaces a level, `# --` above what a comment is about.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const valuesPath = join(import.meta.dirname, '..', 'charts', 'wholegroup', 'values.yaml');

interface Row {
  readonly path: string;
  readonly about: string;
}

/** Every key that a comment is about, and every other key without keys below it. */
function rowsOf(text: string): readonly Row[] {
  const rows: Row[] = [];
  const above: string[] = [];
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const [, said] = /^ *# (?:-- )?(.*)$/.exec(line) ?? [];
    if (said !== undefined) {
      comment.push(said);
      continue;
    }
    const [, indent, key, value] = /^( *)(\w+):(.*)$/.exec(line) ?? [];
    if (indent === undefined || key === undefined) {
      comment = [];
      continue;
    }
    above.length = indent.length / 2;
    above.push(key);
    const path = above.join('.');
    if (comment.length > 0 || value?.trim() !== '') rows.push({ path, about: comment.join(' ') });
    comment = [];
  }
  return rows;
}

function valueAt(values: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], values);
}

/** A default in a cell; nothing for a group of values. */
function cell(value: unknown, isGroup: boolean): string {
  if (isGroup) return '';
  const text = JSON.stringify(value);
  return text.includes('|') ? '' : `\`${text}\``;
}

/** The page. */
export function chartValuesPage(): string {
  const text = readFileSync(valuesPath, 'utf8');
  const values: unknown = parse(text);
  const rows = rowsOf(text);
  const isGroup = (path: string): boolean => rows.some((row) => row.path.startsWith(`${path}.`));
  const lines = rows.map(
    ({ path, about }) =>
      `| \`${path}\` | ${cell(valueAt(values, path), isGroup(path))} | ${about} |`,
  );
  return [
    '# Values of the chart',
    '',
    '<!-- Made from charts/wholegroup/values.yaml by `npm run gen`. Do not edit. -->',
    '',
    'Set with `--set` or `-f` of Helm. What is not listed is refused (`values.schema.json`). Values without a word of their own',
    'are those of the Kubernetes field of the same name.',
    '',
    '| value | default | what it does |',
    '|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}
