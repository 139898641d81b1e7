// The walls of docs/ARCHITECTURE.md as data, and the lint configuration made from them. The one place
// that says which room may import which; `npm run gen` writes .oxlintrc.json, a test proves it is current.
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';

/** For each room: the rooms it may import. A room not named here may import nothing of src. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  pci: ['base'],
  ownership: ['base', 'pci'],
  policy: ['base', 'pci', 'ownership'],
  api: ['base', 'pci', 'ownership', 'policy'],
  kernel: ['base', 'pci', 'ownership', 'policy', 'api'],
  host: ['base', 'pci', 'ownership', 'policy', 'api', 'kernel'],
  record: ['base', 'pci', 'ownership', 'policy', 'api'],
  kubelet: ['base', 'pci', 'ownership', 'policy', 'api'],
  standin: ['base', 'pci', 'ownership', 'policy', 'api', 'kubelet'],
  cluster: ['base', 'pci', 'ownership', 'policy', 'api'],
  observe: ['base', 'pci', 'ownership', 'policy', 'api'],
  kubectl: ['base', 'pci', 'ownership', 'policy', 'api', 'cluster'],
  agent: [
    ...['base', 'pci', 'ownership', 'policy', 'api'],
    ...['kernel', 'host', 'record', 'kubelet', 'cluster', 'observe'],
  ],
  controller: ['base', 'pci', 'ownership', 'policy', 'api', 'cluster', 'observe'],
};

/** Rooms that compute from data alone: no Node API, no clock, no randomness, no environment. */
export const pureRooms = ['base', 'pci', 'ownership', 'policy', 'api'] as const;

/** Parts of a room that stay closed even to those who may enter the room. */
export const closedDoors: Readonly<Record<string, readonly string[]>> = {
  agent: ['kernel/linux', 'kernel/model', 'kernel/remote'],
  host: ['kernel/linux', 'kernel/model', 'kernel/remote'],
  standin: ['kubelet/server', 'kubelet/pods'],
};

/** Packages that a pure room may use: they compute, and do nothing else. */
const purePackages: Readonly<Record<string, readonly string[]>> = { api: ['zod', 'yaml'] };

/** Rooms that may ask the machine for the time, the environment or the end of the process. */
const freeRooms: readonly string[] = ['observe'];

interface PatternRule {
  readonly regex: string;
  readonly message: string;
  readonly importNames?: readonly string[];
}

/** Specifiers that lead into one of `folders` of src, from any depth of another room. */
function into(folders: readonly string[]): string {
  return `^(\\.\\./)+(${folders.join('|')})/|/src/(${folders.join('|')})/`;
}

function isPure(room: string): boolean {
  return (pureRooms as readonly string[]).includes(room);
}

/** Specifiers that are not files of ours: Node's modules, and packages except those of a pure kind. */
function outsideWorld(except: readonly string[]): string {
  if (except.length === 0) return '^[^.]';
  const manifest = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  const names = [...builtinModules, ...Object.keys(dependencies)].filter(
    (name) => !except.includes(name),
  );
  return `^(node:|(${names.filter((name) => /^[a-z@]/.test(name)).join('|')})(/|$))`;
}

function wallPatterns(room: string): PatternRule[] {
  const allowed = new Set([room, ...(mayImport[room] ?? [])]);
  const forbidden = [...Object.keys(mayImport), 'cli'].filter((other) => !allowed.has(other));
  const patterns: PatternRule[] = [
    {
      regex: into(forbidden),
      message: `src/${room} may not import this room: see the table of rooms in docs/ARCHITECTURE.md`,
    },
    { regex: '/(test|bench|scripts)/', message: 'src never imports its judges' },
  ];
  const closed = closedDoors[room];
  if (closed !== undefined) {
    patterns.push({
      regex: into(closed),
      message: `src/${room} knows interfaces, not this implementation`,
    });
  }
  if (isPure(room)) {
    patterns.push({
      regex: outsideWorld(purePackages[room] ?? []),
      message: `src/${room} is pure: effects belong to the edges`,
    });
  } else if (!freeRooms.includes(room)) {
    patterns.push({
      regex: '^(node:)?timers',
      importNames: ['setTimeout', 'setInterval', 'scheduler'],
      message: clockMessage,
    });
  }
  return patterns;
}

const clockMessage = 'time is a parameter: take a Clock';

/** What a room that computes from data alone may not touch. */
const impureGlobals = [
  ...['process', 'Buffer', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
  ...['fetch', 'performance', 'console', 'Date', 'crypto', 'globalThis', 'require'],
];

/** What every other room takes as a parameter or leaves to cli. */
const restrictedGlobals = [
  { name: 'setTimeout', message: clockMessage },
  { name: 'setInterval', message: clockMessage },
  { name: 'performance', message: clockMessage },
  { name: 'console', message: 'take a Log, or a stream from cli' },
  { name: 'globalThis', message: 'name the thing itself' },
];

const restrictedProperties = [
  { object: 'Date', property: 'now', message: clockMessage },
  { object: 'process', property: 'hrtime', message: clockMessage },
  { object: 'Math', property: 'random', message: 'chance is a parameter: take a Random' },
  { object: 'process', property: 'env', message: 'the environment is read in cli' },
  { object: 'process', property: 'exit', message: 'only cli ends the process' },
];

function roomOverride(room: string): object {
  const globals = isPure(room) ? impureGlobals : restrictedGlobals;
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { patterns: wallPatterns(room) }],
      ...(freeRooms.includes(room)
        ? {}
        : {
            'no-restricted-globals': ['error', ...globals],
            'no-restricted-properties': ['error', ...restrictedProperties],
          }),
    },
  };
}

/** Rules for every file. */
const everywhere = {
  'import/no-default-export': 'error',
  'import/no-cycle': 'error',
  'import/no-named-as-default-member': 'off',
  'import/no-unassigned-import': 'off',
  'typescript/no-explicit-any': 'error',
  'typescript/no-floating-promises': 'error',
  'typescript/no-misused-promises': 'error',
  'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  'typescript/consistent-type-imports': 'error',
  'typescript/no-non-null-assertion': 'error',
  'typescript/no-unsafe-type-assertion': 'off',
  'typescript/no-unnecessary-type-assertion': 'error',
  // Rows of a list, grouped by what they have in common: `...[a, b]` keeps them on one line.
  'unicorn/no-useless-spread': 'off',
  'unicorn/no-array-sort': 'off',
  'unicorn/no-array-reverse': 'off',
  'unicorn/consistent-function-scoping': 'off',
  'unicorn/prefer-add-event-listener': 'off',
  // noImplicitReturns says the same, and understands exhaustive switches.
  'typescript/consistent-return': 'off',
  'consistent-return': 'off',
  'no-await-in-loop': 'off',
  'no-shadow': 'off',
  'no-underscore-dangle': 'off',
  'no-var': 'error',
  'prefer-const': 'error',
  eqeqeq: 'error',
  'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
  'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
  'max-params': ['error', { max: 4 }],
  complexity: ['error', { max: 16 }],
};

/** Files with reasons of their own. */
const exceptions = [
  {
    // A process of its own: it ends itself, and reads what its parent gave it.
    files: ['src/kernel/linux/lane-child.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // node:test wants a reporter as a default export.
    files: ['scripts/brief-reporter.ts'],
    rules: { 'import/no-default-export': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      // node:test awaits what test() returns by itself.
      'typescript/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['test', 'it', 'describe', 'suite'],
            },
          ],
        },
      ],
    },
  },
];

/** The whole of .oxlintrc.json. */
export function lintConfiguration(): object {
  return {
    $schema: './node_modules/oxlint/configuration_schema.json',
    plugins: ['typescript', 'import', 'unicorn', 'node'],
    categories: { correctness: 'error', suspicious: 'error' },
    env: { node: true, es2025: true },
    rules: everywhere,
    overrides: [...Object.keys(mayImport).map(roomOverride), ...exceptions],
    ignorePatterns: ['src/kubelet/gen/**', 'test/walls/fixtures/**', 'node_modules/**', 'dist/**'],
  };
}
