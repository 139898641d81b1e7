// Policy texts: YAML, documents, lists, lines, and the texts that nobody should be able to hurt us with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePolicies } from '../../src/api/policy-text.ts';

const policy = (name: string, extra = ''): string => `apiVersion: wholegroup.dev/v1alpha1
kind: PassthroughPolicy
metadata: {name: ${name}}
spec:
  resourceName: example.com/${name}
  devices:
    - vendor: "10de"
${extra}`;

const names = (text: string): string[] =>
  parsePolicies(text, 'f.yaml').policies.map((each) => each.name);
const problems = (text: string): string[] =>
  parsePolicies(text, 'f.yaml').problems.map((each) => `${each.path} | ${each.message}`);

test('documents are taken one by one, empty ones between them are nothing', () => {
  assert.deepEqual(names(`---\n${policy('a')}---\n# only a comment\n---\n${policy('b')}...\n`), [
    'a',
    'b',
  ]);
});

test('a List as kubectl prints it is its items', () => {
  const items = ['a', 'b'].map((name) => ({
    apiVersion: 'wholegroup.dev/v1alpha1',
    kind: 'PassthroughPolicy',
    metadata: { name },
    spec: {
      resourceName: `example.com/${name}`,
      devices: [{ vendor: name === 'a' ? '10de' : 'zzzz' }],
    },
  }));
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: {}, items });
  assert.deepEqual(names(text), ['a']);
  assert.match(
    problems(text)[0] ?? '',
    /^f\.yaml:1: items\[1\]\.spec\.devices\[0\]\.vendor \| is "zzzz"/,
  );
});

test('all problems of all documents are told, in the order of their lines, and the good documents are taken', () => {
  const text = [
    policy('good'),
    policy('first', '  bindng: Eager\n  waive: [RootDisk]\n'),
    policy('second', '    - device: 10\n  primaries: {min: 2, max: 1}\n'),
  ].join('---\n');
  assert.deepEqual(names(text), ['good']);
  assert.deepEqual(
    parsePolicies(text, 'f.yaml').problems.map((each) => each.path),
    [
      'f.yaml:16: document 2: spec.bindng',
      'f.yaml:17: document 2: spec.waive[0]',
      'f.yaml:26: document 3: spec.devices[1].device',
      'f.yaml:27: document 3: spec.primaries',
    ],
  );
});

test('two policies with one name: the first is taken, the second is told where the first is', () => {
  const text = `${policy('a')}---\n${policy('a')}`;
  assert.deepEqual(names(text), ['a']);
  assert.deepEqual(problems(text), [
    'f.yaml:11: document 2: metadata.name | is "a", the name of another policy (f.yaml:3: document 1: metadata.name); names must differ',
  ]);
});

test('a key written twice is a problem with its line', () => {
  assert.match(
    problems(policy('a', '  priority: 1\n  priority: 2\n'))[0] ?? '',
    /^f\.yaml:9 \| is not YAML: Map keys must be unique/,
  );
});

const unusable: Record<string, [text: string, problem: RegExp]> = {
  'an empty text': [
    '',
    /^f\.yaml \| holds no policy; to withdraw the policies of a file, delete the file$/,
  ],
  'a text of comments': ['# all off\n---\n', /holds no policy/],
  'an open bracket': ['a: [1\n', /^f\.yaml:\d \| is not YAML: /],
  'a tab for indentation': [
    'spec:\n\tdevices: []\n',
    /^f\.yaml:2 \| is not YAML: Tabs are not allowed/,
  ],
  'a plain word': ['hello', /^f\.yaml:1 \| is not a mapping; must be a PassthroughPolicy object/],
  'an unknown alias': ['a: *nowhere\n', /is not (usable )?YAML: .*nowhere/],
  'binary rubbish': ['\u0000\u0001\u0002', /f\.yaml/],
  'more than a mebibyte': [
    `# ${'x'.repeat(1024 * 1024)}`,
    /has 1048578 characters; at most 1048576 are allowed/,
  ],
};

for (const [sentence, [text, problem]] of Object.entries(unusable)) {
  test(`a text is refused: ${sentence}`, () => {
    assert.deepEqual(names(text), []);
    assert.match(problems(text)[0] ?? '', problem);
  });
}

test('aliases that multiply are refused before they cost memory', () => {
  const levels = Array.from(
    { length: 12 },
    (_, n) => `l${n + 1}: &l${n + 1} [${Array(10).fill(`*l${n}`).join(',')}]`,
  );
  assert.match(
    problems(`l0: &l0 [x]\n${levels.join('\n')}\n`)[0] ?? '',
    /is not usable YAML: .*[Ee]xcessive alias count/,
  );
});

test('a key called __proto__ changes no prototype and is an unknown field', () => {
  const told = problems(policy('a', '  __proto__: {binding: Eager}\n'));
  assert.match(told[0] ?? '', /spec\.__proto__ \| unknown field "__proto__"/);
  assert.equal(({} as { binding?: unknown }).binding, undefined);
});

test('no text makes the parser throw, and what is not taken is told', () => {
  const pieces = fc.constantFrom(
    ...[
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&x',
      '*x',
      '!!',
      '|',
      '>',
      '---\n',
      '\t',
      '%',
      '#',
    ],
    ...[
      'kind: PassthroughPolicy\n',
      'spec:\n',
      '  devices:\n',
      'metadata: {name: x}\n',
      '\u{1F600}',
      '?',
    ],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const parsed = parsePolicies(parts.join(''), 'f.yaml');
      assert(parsed.policies.length > 0 || parsed.problems.length > 0);
      for (const each of parsed.problems)
        assert(each.path.startsWith('f.yaml') && each.message !== '');
    }),
    { numRuns: 500 },
  );
});
