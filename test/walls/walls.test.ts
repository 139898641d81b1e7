// Each wall of docs/ARCHITECTURE.md is tried: what must not be imported or touched is, in a tree of its own
// with the repository's lint configuration, and the linter has to say so. What is allowed has to pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedDoors, mayImport, pureRooms } from '../../scripts/walls.ts';
import { lint } from './fixture.ts';

const rooms = Object.keys(mayImport);
const isPure = (room: string): boolean => (pureRooms as readonly string[]).includes(room);

/** What is tried in one file: must the linter complain, and by which rule. */
interface Trial {
  readonly sentence: string;
  readonly file: string;
  readonly text: string;
  /** Rule that must fire; null: no restriction may fire. */
  readonly rule: string | null;
}

const trials: Trial[] = [];
const files = new Map<string, string>();

function trial(sentence: string, room: string, text: string, rule: string | null): void {
  const file = `src/${room}/trial-${trials.length}.ts`;
  const header = '// A trial.\n';
  trials.push({ sentence, file, text, rule });
  files.set(file, `${header}${text}\n`);
}

const imports = 'eslint(no-restricted-imports)';
const globals = 'eslint(no-restricted-globals)';
const properties = 'eslint(no-restricted-properties)';

for (const room of [...rooms, 'cli'])
  files.set(`src/${room}/thing.ts`, `// A thing.\nexport const thing = '${room}';\n`);

for (const room of rooms) {
  const allowed = mayImport[room] ?? [];
  for (const other of [...rooms, 'cli'].filter((each) => each !== room)) {
    const may = allowed.includes(other);
    const say = (where: string): string =>
      `src/${room} ${may ? 'may' : 'may not'} import src/${other}${where}`;
    const rule = may ? null : imports;
    trial(say(''), room, `export { thing } from '../${other}/thing.ts';`, rule);
    trial(
      say(' from a folder below'),
      `${room}/below`,
      `export { thing } from '../../${other}/thing.ts';`,
      rule,
    );
    trial(
      say(' from two folders below'),
      `${room}/a/b`,
      `export { thing } from '../../../${other}/thing.ts';`,
      rule,
    );
    trial(say(' for its types'), room, `export type { thing } from '../${other}/thing.ts';`, rule);
  }
  trial(
    `src/${room} may not import the tests`,
    room,
    `export { x } from '../../test/${room}/x.ts';`,
    imports,
  );
  trial(
    `src/${room} may not import the scripts`,
    room,
    "export { mayImport } from '../../scripts/walls.ts';",
    imports,
  );
  for (const door of closedDoors[room] ?? []) {
    trial(
      `src/${room} may not go through the door ${door}`,
      room,
      `export { x } from '../${door}/x.ts';`,
      imports,
    );
    trial(
      `src/${room} may not go through the door ${door} from below`,
      `${room}/below`,
      `export { x } from '../../${door}/x.ts';`,
      imports,
    );
  }
}

for (const room of rooms.filter(isPure)) {
  for (const name of [
    'node:fs',
    'node:path',
    'fs',
    'fs/promises',
    'pino',
    '@grpc/grpc-js',
    'node:timers/promises',
  ]) {
    trial(
      `src/${room} is pure: no import of ${name}`,
      room,
      `export * as it from '${name}';`,
      imports,
    );
  }
  for (const name of [
    'process',
    'Buffer',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'fetch',
    'performance',
    'console',
    'crypto',
    'globalThis',
  ]) {
    trial(`src/${room} is pure: no ${name}`, room, `export const it: unknown = ${name};`, globals);
  }
  trial(`src/${room} is pure: no Date`, room, 'export const it = new Date(0);', globals);
  trial(
    `src/${room} is pure: no Math.random`,
    room,
    'export const it = Math.random();',
    properties,
  );
}
trial('src/api may use zod', 'api', "export { z } from 'zod';", null);
trial('src/api may use yaml', 'api', "export { parse } from 'yaml';", null);
trial('src/ownership may not use zod', 'ownership', "export { z } from 'zod';", imports);

for (const room of rooms.filter((each) => !isPure(each) && each !== 'observe')) {
  const banned: Record<string, string> = {
    'setTimeout(() => undefined, 1)': globals,
    'setInterval(() => undefined, 1)': globals,
    'performance.now()': globals,
    'console.log(1)': globals,
    'Date.now()': properties,
    'process.hrtime.bigint()': properties,
    'Math.random()': properties,
    'process.env': properties,
    'process.exit(1)': properties,
  };
  for (const [expression, rule] of Object.entries(banned)) {
    trial(
      `src/${room} takes it as a parameter: no ${expression}`,
      room,
      `export const it: unknown = ${expression};`,
      rule,
    );
  }
  trial(
    `src/${room} sets no timers of its own`,
    room,
    "export { setTimeout } from 'node:timers/promises';",
    imports,
  );
  trial(
    `src/${room} may use the file system`,
    room,
    "export { readFile } from 'node:fs/promises';",
    null,
  );
}

const style: Record<string, [text: string, rule: string]> = {
  'a default export': ['export default 1;', 'import(no-default-export)'],
  any: ['export const it: any = 1;', 'typescript(no-explicit-any)'],
  'a promise that nobody waits for': [
    'async function f(): Promise<void> {}\nexport function it(): void {\n  f();\n}',
    'typescript(no-floating-promises)',
  ],
  'a switch that forgets a case': [
    "export function it(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}",
    'typescript(switch-exhaustiveness-check)',
  ],
  'an assertion that something is not null': [
    'export const it = (x: string | null): string => x!;',
    'typescript(no-non-null-assertion)',
  ],
  'five parameters': [
    `export function it(${['a', 'b', 'c', 'd', 'e'].map((name) => `${name}: number`).join(', ')}): number {\n  return a + b + c + d + e;\n}`,
    'eslint(max-params)',
  ],
  '301 lines': [`export const it = 1;\n${'// line\n'.repeat(300)}`, 'eslint(max-lines)'],
  'a function of 71 lines': [
    `export function it(): number {\n${'  it();\n'.repeat(70)}  return 1;\n}`,
    'eslint(max-lines-per-function)',
  ],
  'a loose comparison': ['export const it = (x: number): boolean => x == 1;', 'eslint(eqeqeq)'],
};
for (const [sentence, [text, rule]] of Object.entries(style))
  trial(`no ${sentence}`, 'host', text, rule);

files.set(
  'src/host/ring-a.ts',
  "// A ring.\nimport { b } from './ring-b.ts';\nexport const a = (): number => b();\n",
);
files.set(
  'src/host/ring-b.ts',
  "// A ring.\nimport { a } from './ring-a.ts';\nexport const b = (): number => a();\n",
);

const complaints = lint(files);
const rulesAt = new Map<string, string[]>();
for (const { file, rule } of complaints) rulesAt.set(file, [...(rulesAt.get(file) ?? []), rule]);

for (const { sentence, file, text, rule } of trials) {
  test(`walls: ${sentence}`, () => {
    const fired = rulesAt.get(file) ?? [];
    if (rule !== null)
      assert(fired.includes(rule), `${text}\nfired: ${fired.join(', ') || 'nothing'}`);
    else
      assert.deepEqual(
        fired.filter((each) => each.includes('restricted')),
        [],
      );
  });
}

test('walls: no ring of imports', () => {
  assert(
    complaints.some(({ file, rule }) => rule === 'import(no-cycle)' && file.includes('ring-')),
  );
});

test('walls: a complaint about an import names the table of rooms', () => {
  const wall = complaints.find(({ file, rule }) => file.startsWith('src/pci/') && rule === imports);
  assert.match(
    wall?.message ?? '',
    /src\/pci may not import this room: see the table of rooms in docs\/ARCHITECTURE\.md/,
  );
});

test('walls: every restriction was tried in every room', () => {
  assert(trials.length > 800, `${trials.length} trials`);
});
