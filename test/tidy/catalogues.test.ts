// Catalogues and what is made from them agree, both ways.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { outdatedFiles } from '../../scripts/generated.ts';
import { errorCatalogue } from '../../src/base/errors.ts';
import type { EventEntry } from '../../src/observe/event-entry.ts';
import { logEvents } from '../../src/observe/events.ts';
import { metricCatalogue } from '../../src/observe/metric-catalogue.ts';
import { blockerKinds } from '../../src/ownership/catalogue.ts';
import { findings, judges, pages, root, shipped } from './sources.ts';

const page = (name: string): string => readFileSync(join(root, 'docs', 'reference', name), 'utf8');
const firstColumn = (text: string): string[] =>
  [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);

test('catalogues: generated files are what the sources make of them', async () => {
  assert.deepEqual(await outdatedFiles(), []);
});

test('catalogues: the reference pages list exactly what there is', () => {
  const listed = {
    'errors.md': errorCatalogue,
    'events.md': logEvents,
    'metrics.md': metricCatalogue,
  };
  for (const [name, catalogue] of Object.entries(listed)) {
    assert.deepEqual(firstColumn(page(name)).sort(), Object.keys(catalogue).sort(), name);
  }
  assert.deepEqual(firstColumn(page('blockers.md')).sort(), [...blockerKinds].sort());
});

test('catalogues: every error code is thrown somewhere, and pages name only codes that exist', () => {
  const code = /\bWG_[A-Z]+(?:_[A-Z]+)*\b/g;
  const codesIn = (texts: readonly { readonly text: string }[]): Set<string> =>
    new Set(texts.flatMap(({ text }) => text.match(code) ?? []));
  const codes = Object.keys(errorCatalogue);
  // The player of kernel scripts is a tool of its own beside the shipped sources.
  const tools = judges.filter(({ path }) => path.startsWith('test/play/'));
  const thrown = codesIn([
    ...shipped.filter(({ path }) => path !== 'src/base/errors.ts'),
    ...tools,
  ]);
  assert.deepEqual(
    codes.filter((each) => !thrown.has(each)),
    [],
    'in the catalogue and never thrown',
  );
  assert.deepEqual(
    [...codesIn(pages)].filter((each) => !codes.includes(each)),
    [],
    'on a page and not in the catalogue',
  );
});

/** A call of a logger with its level, and the event when it is a literal. */
const logCall = /\blog\.(debug|info|warn|error)\(\s*(?:'([^']*)'|([^'\s]))/g;

interface LogCall {
  readonly path: string;
  readonly level: string;
  readonly event: string | undefined;
  /** First character of what is not a literal. */
  readonly other: string | undefined;
}

const calls: readonly LogCall[] = shipped.flatMap(({ path, text }) =>
  [...text.matchAll(logCall)].map(([, level = '', event, other]) => ({
    path,
    level,
    event,
    other,
  })),
);

test('catalogues: every event that is logged is in the catalogue of events, at its level', () => {
  assert(calls.length > 0);
  const events: Readonly<Record<string, EventEntry>> = logEvents;
  const wrong = calls
    .filter(({ event, level }) => event !== undefined && events[event]?.level !== level)
    .map(
      ({ path, event = '', level }) =>
        `${path}: ${level} '${event}' (catalogue: ${events[event]?.level ?? 'not there'})`,
    );
  assert.deepEqual(wrong, []);
});

test('catalogues: every event of the catalogue is logged somewhere', () => {
  const texts = shipped
    .filter(({ path }) => !path.startsWith('src/observe/events'))
    .map(({ text }) => text);
  const unused = Object.keys(logEvents).filter(
    (event) => !texts.some((text) => text.includes(`'${event}'`)),
  );
  assert.deepEqual(unused, []);
});

test('catalogues: the message of a log line is a constant', () => {
  const computed = calls.filter(({ other }) => other === '`' || other === '"');
  assert.deepEqual(computed, []);
  assert.deepEqual(findings(shipped, /\blog\.(?:debug|info|warn|error)\([^)\n]*\+ /g), []);
});
