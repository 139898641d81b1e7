// Whether a role is as small as it can be: every right that it gives against every request that was made with it, from
// the audit log of a run. Nothing may be missing, and nothing unused.
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { AuditEntry } from './audit.ts';

/** `iommugroups.wholegroup.dev/status patch`: one right. */
export type Right = string;

interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function right(group: string, resource: string, verb: string): Right {
  const [name = '', subresource] = resource.split('/');
  const full = group === '' ? name : `${name}.${group}`;
  return `${full}${subresource === undefined ? '' : `/${subresource}`} ${verb}`;
}

/** Every right that the roles of a manifest give. A rule with a star would give what no list can hold: refused. */
export function rightsIn(manifest: string): ReadonlySet<Right> {
  const documents = parseAllDocuments(readFileSync(manifest, 'utf8'));
  const rules = documents.flatMap((each) => {
    const { kind, rules: own } = each.toJS() as { kind: string; rules?: readonly RoleRule[] };
    return kind === 'Role' || kind === 'ClusterRole' ? (own ?? []) : [];
  });
  const rights = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => right(group, resource, verb))),
    ),
  );
  const star = rights.find((each) => each.includes('*'));
  if (star !== undefined) throw new Error(`${manifest}: "${star}" gives more than it names`);
  return new Set(rights);
}

/** Requests that every user may make: what a client asks about itself and the server. */
const forEverybody = /^\/(api|apis|healthz|livez|readyz|version|openapi)(\/|\?|$)/;

function usedRights(entries: readonly AuditEntry[]): ReadonlySet<Right> {
  const rights = entries.flatMap(({ verb, objectRef, requestURI }) => {
    if (objectRef?.resource === undefined) {
      return forEverybody.test(requestURI) ? [] : [`${requestURI} ${verb}`];
    }
    const { apiGroup = '', resource, subresource } = objectRef;
    return [right(apiGroup, subresource ? `${resource}/${subresource}` : resource, verb)];
  });
  return new Set(rights);
}

/** What a run says about a role. */
export interface RoleUse {
  /** Asked for and not given: the role is too small, or the program asks too much. */
  readonly missing: readonly Right[];
  /** Given and never asked for: the role is too large, or the run too short. */
  readonly unused: readonly Right[];
}

/** Compares what a role gives with what its user asked for, whatever the answers were. */
export function roleUse(
  given: ReadonlySet<Right>,
  entries: readonly AuditEntry[],
  user: string,
): RoleUse {
  const used = new Set(usedRights(entries.filter((each) => each.user.username === user)));
  // Server-side apply of what is not there yet needs the right to create, and shows as a patch that made something.
  const made = entries.filter(
    ({ verb, responseStatus, user: who }) =>
      who.username === user && verb === 'patch' && responseStatus?.code === 201,
  );
  for (const { objectRef } of made)
    used.add(right(objectRef?.apiGroup ?? '', objectRef?.resource ?? '', 'create'));
  return {
    missing: [...used].filter((each) => !given.has(each)).sort(),
    unused: [...given].filter((each) => !used.has(each)).sort(),
  };
}
