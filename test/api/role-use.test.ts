// The comparison of a role with what was asked for: it can fail in both directions.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditEntry } from './support/audit.ts';
import { rightsIn, roleUse } from './support/role-use.ts';

const roles = join(import.meta.dirname, '..', '..', 'deploy', 'rbac');

const asked = (verb: string, resource: string, code = 200): AuditEntry => ({
  stage: 'ResponseComplete',
  verb,
  requestURI: `/apis/wholegroup.dev/v1alpha1/${resource}`,
  user: { username: 'agent' },
  objectRef: { apiGroup: 'wholegroup.dev', resource },
  responseStatus: { code },
  requestReceivedTimestamp: '2026-11-23T05:17:08.000000Z',
});

const given = new Set(['iommugroups.wholegroup.dev list', 'iommugroups.wholegroup.dev patch']);

test('a role that is used to the last right, and no further, is as it must be', () => {
  const entries = [asked('list', 'iommugroups'), asked('patch', 'iommugroups')];
  assert.deepEqual(roleUse(given, entries, 'agent'), { missing: [], unused: [] });
});

test('a right that nobody asked for is unused, and one that was asked for in vain is missing', () => {
  const entries = [asked('list', 'iommugroups'), asked('delete', 'iommugroups', 403)];
  assert.deepEqual(roleUse(given, entries, 'agent'), {
    missing: ['iommugroups.wholegroup.dev delete'],
    unused: ['iommugroups.wholegroup.dev patch'],
  });
});

test('an apply that makes an object uses the right to create', () => {
  const entries = [asked('list', 'iommugroups'), asked('patch', 'iommugroups', 201)];
  const { missing } = roleUse(given, entries, 'agent');
  assert.deepEqual(missing, ['iommugroups.wholegroup.dev create']);
});

test('what others ask for says nothing about a role', () => {
  assert.deepEqual(roleUse(new Set(), [asked('list', 'secrets')], 'controller'), {
    missing: [],
    unused: [],
  });
});

for (const name of ['agent', 'controller']) {
  test(`the role of the ${name} names every right: no star, no secret, no right over roles`, () => {
    const rights = [...rightsIn(join(roles, `${name}.yaml`))];
    assert(rights.length > 5);
    const dangerous =
      /^(secrets|configmaps|serviceaccounts|nodes|pods)\S* (create|update|patch|delete)|rbac\.|^secrets|\b(escalate|bind|impersonate)$/;
    assert.deepEqual(
      rights.filter((each) => dangerous.test(each)),
      [],
    );
  });
}
