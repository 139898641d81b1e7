// The chart as a later version may be: one field more in a definition (`spec.cordonTicket` of IOMMUGroup).
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartFolder } from './helm.ts';

/** Makes that chart in a folder; its own folder. */
export function laterChart(folder: string): string {
  const later = join(folder, 'later');
  cpSync(chartFolder, later, { recursive: true });
  const path = join(later, 'files', 'crds', 'iommugroups.yaml');
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^ +cordonReason:\n/m);
  const added = text.replace(
    /^( +)cordonReason:\n/m,
    (line: string, indent: string) =>
      `${indent}cordonTicket:\n${indent}  type: string\n${indent}  maxLength: 64\n${line}`,
  );
  writeFileSync(path, added);
  const chart = join(later, 'Chart.yaml');
  writeFileSync(chart, readFileSync(chart, 'utf8').replace(/^version: .*/m, 'version: 0.1.1'));
  return later;
}
