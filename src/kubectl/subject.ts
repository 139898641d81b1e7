// What a person means by ADDRESS, GROUP, POD, POLICY or NODE on the command line. Only the form is looked at here;
// whether there is such a thing the server knows.
import { fail, ok, type Result } from '../base/result.ts';

/** What is meant. */
export type Subject =
  | { readonly kind: 'group' | 'policy' | 'node'; readonly name: string }
  | { readonly kind: 'pod'; readonly name: string; readonly namespace: string | null }
  /** A PCI address, of one node or of whichever have it; without its domain when it was not given. */
  | { readonly kind: 'address'; readonly address: string; readonly node: string | null }
  /** A name that may be any of them. */
  | { readonly kind: 'name'; readonly name: string };

const prefixes: Readonly<Record<string, 'group' | 'policy' | 'node' | 'pod'>> = {
  ...{ group: 'group', ig: 'group', iommugroup: 'group', iommugroups: 'group' },
  ...{
    policy: 'policy',
    ptp: 'policy',
    passthroughpolicy: 'policy',
    passthroughpolicies: 'policy',
  },
  ...{ node: 'node', nodes: 'node', no: 'node', ptn: 'node' },
  ...{ passthroughnode: 'node', passthroughnodes: 'node' },
  ...{ pod: 'pod', pods: 'pod', po: 'pod' },
};

const addressForm = /^([0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;
const objectNameForm = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** The forms, for help and for messages. */
export const subjectForms =
  'ADDRESS, NODE/ADDRESS, group/NAME, policy/NAME, node/NAME, pod/NAME, NAMESPACE/POD, or a name alone';

function named(prefix: string, name: string): Subject {
  const kind = prefixes[prefix.toLowerCase()];
  if (addressForm.test(name.toLowerCase()) && kind !== 'pod')
    return {
      kind: 'address',
      address: name.toLowerCase(),
      node: kind === undefined ? prefix : null,
    };
  if (kind === undefined) return { kind: 'pod', name, namespace: prefix };
  return kind === 'pod' ? { kind, name, namespace: null } : { kind, name };
}

/** What a text means; a problem names the forms. */
export function parseSubject(text: string): Result<Subject> {
  // kubectl prints `iommugroup.wholegroup.dev/NAME`.
  const [head = '', tail, ...more] = text.replace(/\.wholegroup\.dev\//, '/').split('/');
  const refused = fail(`"${text}" is none of ${subjectForms}`);
  if (more.length > 0) return refused;
  if (tail !== undefined) {
    const good = objectNameForm.test(tail) || addressForm.test(tail.toLowerCase());
    return head !== '' && good ? ok(named(head, tail)) : refused;
  }
  if (addressForm.test(head.toLowerCase()))
    return ok({ kind: 'address', address: head.toLowerCase(), node: null });
  return objectNameForm.test(head) ? ok({ kind: 'name', name: head }) : refused;
}

/** True when `address` is the one that is meant: a missing domain fits every domain. */
export function isAddress(meant: string, address: string): boolean {
  return address === meant || address.endsWith(`:${meant}`);
}
