// The groups that arguments mean, each exactly one: what changes something or tells a story is not done for several.
import { CodedError } from '../../base/errors.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { ClusterReader } from '../../kubectl/reader.ts';
import { resolve } from '../../kubectl/resolve.ts';
import type { SeenGroup } from '../../kubectl/seen.ts';
import { parseSubject, type Subject } from '../../kubectl/subject.ts';

/** The forms, for help. */
export const groupForms =
  'name of an IOMMUGroup, or NODE/ADDRESS, or an ADDRESS that one node alone has';

function groupSubject(text: string): Subject {
  const subject = parseSubject(text);
  if (subject.ok) {
    const { value } = subject;
    if (value.kind === 'group' || value.kind === 'address') return value;
    if (value.kind === 'name') return { kind: 'group', name: value.name };
  }
  throw new CodedError('WG_FLAG_INVALID', `"${text}" means no group; the form is: ${groupForms}`);
}

/** The groups; a problem when one is not there. Throws WG_FLAG_INVALID for what cannot mean one group. */
export async function groupsMeant(
  texts: readonly string[],
  reader: ClusterReader,
): Promise<Result<readonly SeenGroup[]>> {
  const groups = new Map<string, SeenGroup>();
  for (const text of texts) {
    const found = await resolve(groupSubject(text), reader, null);
    if ('kind' in found) return fail(found.text);
    const own = found.flatMap((each) => (each.kind === 'group' ? [each.group] : []));
    if (own.length > 1) {
      const names = own.map(({ metadata }) => metadata.name).join(', ');
      throw new CodedError('WG_FLAG_INVALID', `"${text}" is there on several nodes: ${names}`);
    }
    for (const group of own) groups.set(group.metadata.name, group);
  }
  return ok([...groups.values()]);
}
