// The schemas of groups and nodes, and what the definitions for the API server take over from all schemas.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as z from 'zod';
import { customResourceDefinitions } from '../../src/api/definitions.ts';
import { groupObjectName, groupObjectSchema } from '../../src/api/iommu-group.ts';
import { nodeObjectSchema } from '../../src/api/passthrough-node.ts';
import { waivableKinds } from '../../src/api/passthrough-policy.ts';
import { structuralSchema } from '../../src/api/structural.ts';
import { strict, wholeNumber } from '../../src/api/forms.ts';
import { badObjects, blockedGroup, goodObjects } from './objects/group-objects.ts';

const schemaOf = (object: object): z.ZodType =>
  (object as { kind: string }).kind === 'IOMMUGroup' ? groupObjectSchema : nodeObjectSchema;

for (const [sentence, object] of Object.entries(goodObjects)) {
  test(`an object is taken: ${sentence}`, () => {
    const parsed = schemaOf(object).safeParse(JSON.parse(JSON.stringify(object)));
    assert.deepEqual(parsed.error?.issues, undefined);
  });
}

/** `a[0].b` of a path. */
const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === 'number'
        ? `${text}[${part}]`
        : `${text}${text === '' ? '' : '.'}${String(part)}`,
    '',
  );

for (const [sentence, [object, field, message]] of Object.entries(badObjects)) {
  test(`an object is refused: ${sentence}`, () => {
    const parsed = schemaOf(object).safeParse(JSON.parse(JSON.stringify(object)));
    const problems = (parsed.error?.issues ?? []).flatMap((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [key]) : [[]];
      return keys.map((key) => pathText([...issue.path, ...key]));
    });
    assert.deepEqual(problems, [field]);
    assert.match(parsed.error?.issues[0]?.message ?? '', message);
  });
}

test('an IOMMUGroup object is read with the defaults of its spec filled in', () => {
  const { spec: _, ...without } = blockedGroup;
  const parsed = groupObjectSchema.parse(without);
  assert.deepEqual(parsed.spec, { cordoned: false, cordonReason: '' });
  assert.deepEqual(parsed.status, blockedGroup.status);
});

test('the name of a group object is made of node and leader', () => {
  assert.equal(groupObjectName('worker-1', '0000:65:00.0'), 'worker-1-0000-65-00-0');
});

type Node = Readonly<Record<string, unknown>>;

function* nodes(value: unknown): Generator<Node> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield value as Node;
  for (const child of Object.values(value)) yield* nodes(child);
}

for (const [plural, definition] of customResourceDefinitions()) {
  test(`${plural}: patterns keep to what RE2 knows, and every list, map and text of a rule is bounded`, () => {
    let patterns = 0;
    for (const node of nodes(definition)) {
      if (node['type'] === 'array') assert(typeof node['maxItems'] === 'number');
      if (node['type'] === 'object' && node['additionalProperties'] !== undefined) {
        assert(typeof node['maxProperties'] === 'number');
      }
      if (node['type'] === 'string' && node['x-kubernetes-validations'] !== undefined) {
        assert(typeof node['maxLength'] === 'number');
      }
      if (typeof node['pattern'] !== 'string') continue;
      patterns++;
      // No look-around, no back-reference, repeats up to 1000.
      assert.doesNotMatch(node['pattern'], /\(\?[=!<]|\\[1-9]/);
      for (const [, repeat] of node['pattern'].matchAll(/\{\d*,?(\d+)\}/g))
        assert(Number(repeat) <= 1000);
    }
    assert(patterns > 0);
  });
}

test('a field that nobody has described does not get into a definition', () => {
  const silent = strict({ number: wholeNumber('a number', { min: 0, max: 1 }) });
  assert.throws(() => structuralSchema(silent, 'Kind.spec'), /Kind\.spec has no description/);
});

test('the schema of waive lists exactly the kinds that the catalogue lets a policy waive', () => {
  const definition = customResourceDefinitions().get('passthroughpolicies');
  const lists = [...nodes(definition)].map((node) => node['enum']).filter((each) => each);
  const kinds = lists.find((each) => (each as string[]).includes('SwapActive'));
  assert.deepEqual(kinds, [...waivableKinds]);
  const never = ['RootDisk', 'NodeAddress', 'NetworkDefaultRoute', 'SystemConsole', 'BootDisplay'];
  for (const kind of [...never, 'FramebufferConsole', 'UnknownUse']) {
    assert(!(kinds as string[]).includes(kind), kind);
  }
});
