// The walls of docs/ARCHITECTURE.md as data, and the lint configuration made from them. The one place
// that says which room may import which; `npm run gen` writes .oxlintrc.json, a test proves it is current.

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
  agent: [
    ...['base', 'pci', 'ownership', 'policy', 'api'],
    ...['kernel', 'host', 'record', 'kubelet', 'cluster', 'observe'],
  ],
  controller: ['base', 'pci', 'ownership', 'policy', 'api', 'cluster', 'observe'],
};

/** Rooms that compute from data alone: no Node API, no clock, no randomness, no environment. */
export const pureRooms = ['base', 'pci', 'ownership', 'policy', 'api'] as const;

/** Parts of a room that stay closed even to those who may enter the room. */
const closedDoors: Readonly<Record<string, readonly string[]>> = {
  agent: ['**/kernel/linux/**', '**/kernel/model/**', '**/kernel/remote/**'],
  host: ['**/kernel/linux/**', '**/kernel/model/**', '**/kernel/remote/**'],
  standin: ['**/kubelet/server/**', '**/kubelet/pods/**'],
};

interface PatternRule {
  readonly group: readonly string[];
  readonly message: string;
}

function wallPatterns(room: string): PatternRule[] {
  const allowed = new Set([room, ...(mayImport[room] ?? [])]);
  const forbidden = [...Object.keys(mayImport), 'cli'].filter((other) => !allowed.has(other));
  const patterns: PatternRule[] = [
    {
      group: forbidden.flatMap((other) => [
        `../${other}/**`,
        `../../${other}/**`,
        `**/src/${other}/**`,
      ]),
      message: `src/${room} may not import this room: see the table of rooms in docs/ARCHITECTURE.md`,
    },
    {
      group: ['**/test/**', '**/bench/**', '**/scripts/**'],
      message: 'src never imports its judges',
    },
  ];
  const closed = closedDoors[room];
  if (closed !== undefined) {
    patterns.push({
      group: closed,
      message: `src/${room} knows interfaces, not this implementation`,
    });
  }
  if ((pureRooms as readonly string[]).includes(room)) {
    patterns.push({
      group: ['node:*'],
      message: `src/${room} is pure: effects belong to the edges`,
    });
  }
  return patterns;
}

const impureGlobals = [
  ...['process', 'Buffer', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
  ...['fetch', 'performance', 'console', 'Date'],
];

function roomOverride(room: string): object {
  const pure = (pureRooms as readonly string[]).includes(room);
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { patterns: wallPatterns(room) }],
      ...(pure ? { 'no-restricted-globals': ['error', ...impureGlobals] } : {}),
    },
  };
}

/** The whole of .oxlintrc.json. */
export function lintConfiguration(): object {
  return {
    $schema: './node_modules/oxlint/configuration_schema.json',
    plugins: ['typescript', 'import', 'unicorn', 'node'],
    categories: { correctness: 'error', suspicious: 'error' },
    env: { node: true, es2025: true },
    rules: {
      'import/no-default-export': 'error',
      'import/no-cycle': 'error',
      'import/no-named-as-default-member': 'off',
      'import/no-unassigned-import': 'off',
      'typescript/no-explicit-any': 'error',
      'typescript/no-floating-promises': 'error',
      'typescript/no-misused-promises': 'error',
      'typescript/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
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
    },
    overrides: [
      ...Object.keys(mayImport).map(roomOverride),
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
    ],
    ignorePatterns: ['src/kubelet/gen/**', 'test/walls/fixtures/**', 'node_modules/**', 'dist/**'],
  };
}
