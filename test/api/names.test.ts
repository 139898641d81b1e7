// The words that the policy schema is built on: resource names, address globs, nearest names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../src/api/nearest.ts';
import { addressGlobProblem } from '../../src/api/address-glob.ts';
import { reportedNameProblem } from '../../src/api/node-name.ts';
import { globMatches } from '../../src/policy/glob.ts';
import { parseResourceName } from '../../src/policy/resource-name.ts';

const label63 = 'a'.repeat(63);
const domain = (characters: number): string => 'a'.repeat(characters);

for (const name of [
  'example.com/nic',
  'nvidia.com/GA102GL_A40',
  'a/b',
  'x-y.example.com/A.b_c-d',
  '1.example/1',
  `example.com/${label63}`,
  `${domain(244)}/gpu`,
  'mykubernetes.io.example.com/gpu',
]) {
  test(`a resource name is taken: ${name.slice(0, 60)}`, () => {
    const parsed = parseResourceName(name);
    // IsExtendedResourceName asks for the text "kubernetes.io/", wherever it stands.
    assert.deepEqual(parsed, { ok: true, value: name });
  });
}

const refused: Record<string, RegExp> = {
  '': /needs exactly one "\/"/,
  gpu: /needs exactly one "\/"/,
  'example.com/a/b': /needs exactly one "\/"/,
  '/gpu': /"" is not a domain/,
  'example.com/': /"" is not a name/,
  'kubernetes.io/gpu': /belongs to Kubernetes itself/,
  'foo.kubernetes.io/gpu': /belongs to Kubernetes itself/,
  'mykubernetes.io/gpu': /belongs to Kubernetes itself/,
  'requests.example.com/gpu': /belong to quotas/,
  'Example.com/gpu': /"Example\.com" is not a domain/,
  'example_com/gpu': /is not a domain/,
  '-example.com/gpu': /is not a domain/,
  'example..com/gpu': /is not a domain/,
  'example.com/-gpu': /"-gpu" is not a name/,
  'example.com/gpu.': /is not a name/,
  'example.com/g pu': /is not a name/,
  'example.com/gpu\n': /is not a name/,
  'example.com/GPÜ': /is not a name/,
  [`example.com/${label63}a`]: /the name has more than 63 characters/,
  [`${domain(245)}/gpu`]: /the domain has more than 244 characters/,
};

for (const [name, problem] of Object.entries(refused)) {
  test(`a resource name is refused with the form: ${JSON.stringify(name.slice(0, 60))}`, () => {
    const parsed = parseResourceName(name);
    assert.match(parsed.ok ? 'taken' : parsed.problem, problem);
    assert.match(
      parsed.ok ? '' : parsed.problem,
      /write an extended resource name DOMAIN\/NAME, for example/,
    );
  });
}

const globs: readonly [glob: string, text: string, matches: boolean][] = [
  ['0000:65:00.0', '0000:65:00.0', true],
  ['0000:65:00.0', '0000:65:00.1', false],
  ['0000:65:*', '0000:65:00.1', true],
  ['0000:65:*', '0000:66:00.1', false],
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
  ['?', '', false],
  ['*:00.?', '0000:65:00.3', true],
  ['*65*', '0000:65:00.3', true],
  ['*.0', '0000:65:00.0.0', true],
  ['a*b*c', 'axxbxxbyyc', true],
  ['a*b*c', 'axxbxxbyyd', false],
  ['0000:65:00.0', '0000x65:00.0', false],
];

test('globs: the table', () => {
  for (const [glob, text, matches] of globs)
    assert.equal(globMatches(glob, text), matches, `${glob} ~ ${text}`);
});

test('globs agree with the same pattern as a regular expression', () => {
  const glob = fc.string({ unit: fc.constantFrom('0', '1', ':', '.', '*', '?'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('0', '1', ':', '.'), maxLength: 10 });
  fc.assert(
    fc.property(glob, text, (pattern, candidate) => {
      const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      assert.equal(globMatches(pattern, candidate), new RegExp(`^${source}$`, 's').test(candidate));
    }),
    { numRuns: 3000 },
  );
});

test('globs with many stars over a long text are quick', () => {
  const before = process.hrtime.bigint();
  assert.equal(globMatches(`${'*a'.repeat(50)}b`, 'a'.repeat(5000)), false);
  assert(Number(process.hrtime.bigint() - before) < 500e6);
});

test('a glob that fits some address is told from one that fits none', () => {
  for (const glob of [
    '*',
    '0000:*',
    '*.7',
    '????:??:??.?',
    '10000:*',
    '0000:65:00.0',
    '*:1f.*',
    'ffffffff:ff:1f.7',
  ]) {
    assert.equal(addressGlobProblem(glob), null, glob);
  }
  for (const glob of [
    '',
    '0000:65:00',
    '65:00.0',
    '*.8',
    '0000:65:20.0',
    '???:*:00.00',
    '65:*',
    '*:0',
    'fffffffff:*',
  ]) {
    assert.notEqual(addressGlobProblem(glob), null, glob);
  }
});

test('every glob made from an address by putting in wildcards fits some address', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('keep', '?', '*'), { minLength: 12, maxLength: 12 }),
      (choices) => {
        const glob = '0000:65:00.0'
          .split('')
          .map((character, n) => (choices[n] === 'keep' ? character : choices[n]))
          .join('');
        assert.equal(addressGlobProblem(glob), null, glob);
        assert.equal(globMatches(glob, '0000:65:00.0'), true, glob);
      },
    ),
  );
});

test('the nearest known word is told, a far one is not', () => {
  const known = ['vendor', 'device', 'subsystemVendor', 'class', 'numaNode'];
  const table = {
    vendr: 'vendor',
    Vendor: 'vendor',
    devcie: 'device',
    numanode: 'numaNode',
    subsystemvendor: 'subsystemVendor',
  };
  for (const [word, near] of Object.entries(table)) assert.equal(nearest(word, known), near);
  for (const word of ['bananas', 'x', '', 'v'.repeat(5000)])
    assert.equal(nearest(word, known), null, word.slice(0, 9));
});

for (const name of ['a', 'worker-1', '1', 'ip-10-0-0-1.example.internal', label63]) {
  test(`a node may be called ${name.slice(0, 40)}`, () => {
    assert.equal(reportedNameProblem(name), null);
  });
}

for (const [name, problem] of [
  [`${label63}a`, /has 64 characters: .*at most 63 characters/],
  ['', /is no name of a node: lower-case letters/],
  ['Worker', /is no name of a node/],
  ['worker_1', /is no name of a node/],
  ['worker-', /beginning and ending with a letter or digit/],
  ['a..b', /is no name of a node/],
] as const) {
  test(`no node that reports is called "${name.slice(0, 40)}"`, () => {
    assert.match(reportedNameProblem(name) ?? '', problem);
  });
}
