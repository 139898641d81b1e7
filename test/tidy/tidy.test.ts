// What no other tool holds up: the habits of this code base, read from its texts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { mayImport } from '../../scripts/walls.ts';
import { findings, judges, pages, root, shipped } from './sources.ts';

const all = [...shipped, ...judges];

test('tidy: no file has more than 300 lines', () => {
  const long = all
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300);
  assert.deepEqual(long, []);
});

test('tidy: half of the files that ship have at most 120 lines', () => {
  const lengths = shipped.map(({ text }) => text.split('\n').length - 1).sort((a, b) => a - b);
  assert((lengths[Math.floor(lengths.length / 2)] ?? 0) <= 120);
});

test('tidy: every file that ships opens by saying what it holds', () => {
  const silent = shipped.filter(
    ({ text }) => !/^(?:#!.*\n)?(?:\/\/ .+\n)+/.test(text) || !/[.:]\n/.test(text.slice(0, 600)),
  );
  assert.deepEqual(
    silent.map(({ path }) => path),
    [],
  );
});

test('tidy: no name says Manager, Helper or Util', () => {
  const declared =
    /\b(?:class|interface|type|function|const|let)\s+\w*(?:Manager|Helper|Util)s?\b/g;
  const files = all
    .map(({ path }) => path)
    .filter((path) => /(manager|helper|utils?)\b/i.test(basename(path)));
  assert.deepEqual([...findings(shipped, declared), ...files], []);
});

test('tidy: every export that ships is documented', () => {
  const undocumented = shipped.flatMap(({ path, text }) => {
    const lines = text.split('\n');
    return lines.flatMap((line, index) => {
      if (!/^export (?:async |abstract )?(?:function|class|const|interface|type) \w/.test(line))
        return [];
      return lines[index - 1]?.endsWith('*/') === true ? [] : [`${path}:${index + 1}: ${line}`];
    });
  });
  assert.deepEqual(undocumented, []);
});

test('tidy: nothing is exported by default or wholesale', () => {
  const wholesale = /^export (?:default\b|\* from)/gm;
  const found = findings(all, wholesale).filter(
    (each) => !each.startsWith('scripts/brief-reporter.ts'),
  );
  // Texts of fixtures are no exports: they stand in quotes, never at the beginning of a line.
  assert.deepEqual(found, []);
});

test('tidy: no module that ships keeps state of its own', () => {
  assert.deepEqual(findings(shipped, /^(?:export )?(?:let|var) /gm), []);
  const collections =
    /^(?:export )?const \w+(?:: (?!Readonly)[^=]+)? = new (?:Map|Set|WeakMap|Array)(?:<[^=]*>)?\(\);/gm;
  assert.deepEqual(findings(shipped, collections), []);
});

test('tidy: nothing is left to be done later', () => {
  const marks = new RegExp(
    `\\b(?:${['TO', 'FIX'].map((word, n) => word + ['DO', 'ME'][n]).join('|')}|X{3})\\b`,
    'g',
  );
  assert.deepEqual(findings([...all, ...pages], marks), []);
});

test('tidy: no test is focused, and none is skipped without a reason', () => {
  const tests = judges.filter(({ path }) => path.endsWith('.test.ts'));
  assert.deepEqual(findings(tests, /\b(?:test|it|describe)\.only\(|\bonly: true/g), []);
  assert.deepEqual(
    findings(tests, /\b(?:test|it|describe)\.(?:skip|todo)\(|\bskip: true|\bt\.skip\(\)/g),
    [],
  );
});

/** Room of a path in src, null outside. */
const roomOf = (path: string): string | null => /^src\/([^/]+)\//.exec(path)?.[1] ?? null;

test('tidy: every folder of src is a room of the table', () => {
  const rooms = new Set(shipped.map(({ path }) => roomOf(path)));
  assert.deepEqual(
    [...rooms].filter((room) => room === null || (room !== 'cli' && mayImport[room] === undefined)),
    [],
  );
});

test('tidy: imports at run time keep to the walls too, which the linter does not see', () => {
  const broken = shipped.flatMap(({ path, text }) => {
    const room = roomOf(path) ?? '';
    if (room === 'cli') return [];
    const allowed = [room, ...(mayImport[room] ?? [])];
    return [...text.matchAll(/\b(?:import|require|resolve)\(\s*['"`](\.[^'"`]+)/g)]
      .map(([, specifier = '']) => normalize(join(dirname(path), specifier)))
      .filter((target) => !allowed.includes(roomOf(target) ?? ''))
      .map((target) => `${path} imports ${target}`);
  });
  assert.deepEqual(broken, []);
});

test('tidy: links between pages lead somewhere', () => {
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
      .map(([, target = '']) => join(dirname(path), target))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${path} → ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('tidy: commands that the pages name exist', async () => {
  const { default: manifest } = (await import('../../package.json', {
    with: { type: 'json' },
  })) as {
    default: { scripts: Record<string, string> };
  };
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map(([, script = '']) => ({ path, script })),
  );
  assert.deepEqual(
    named.filter(({ script }) => manifest.scripts[script] === undefined),
    [],
  );
});
