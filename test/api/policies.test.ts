// The tables of policies against the agent's own schemas. The same tables run against a real API server in
// server/objects.api.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badPolicies } from './objects/bad-policies.ts';
import { badSelectors } from './objects/bad-selectors.ts';
import { defaults, goodPolicies } from './objects/good-policies.ts';
import { parseObject } from './objects/policy-objects.ts';

for (const [sentence, [object, differs]] of Object.entries(goodPolicies)) {
  test(`a policy is taken: ${sentence}`, () => {
    const { policies, problems } = parseObject(object);
    assert.deepEqual(problems, []);
    assert.deepEqual(policies, [{ ...defaults, ...differs }]);
  });
}

for (const [sentence, refusal] of Object.entries({ ...badPolicies, ...badSelectors })) {
  const [object, field, message] = refusal;
  test(`a policy is refused: ${sentence}`, () => {
    const { policies, problems } = parseObject(object);
    assert.deepEqual(policies, []);
    assert.deepEqual(
      problems.map((each) => each.path),
      [field === '' ? 'a.json:1' : `a.json:1: ${field}`],
    );
    assert.match(problems[0]?.message ?? '', message);
  });
}
