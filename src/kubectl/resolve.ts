// From what a person wrote to the objects that are meant. A name that means several things is refused with what it
// could mean, one that means nothing is answered with the nearest that there is.
import { nearest } from '../api/nearest.ts';
import { nodeLabel } from '../api/iommu-group.ts';
import { CodedError } from '../base/errors.ts';
import { nodeOf } from './group-facts.ts';
import type { ClusterReader } from './reader.ts';
import type { SeenGroup, SeenNode, SeenPod, SeenPolicy } from './seen.ts';
import { isAddress, type Subject } from './subject.ts';

/** What was found. */
export type Found =
  | { readonly kind: 'group'; readonly group: SeenGroup; readonly address: string | null }
  | { readonly kind: 'policy'; readonly policy: SeenPolicy }
  | { readonly kind: 'node'; readonly node: SeenNode }
  | { readonly kind: 'pod'; readonly pod: SeenPod };

/** Namespaces to look for pods in: one, or null for all. */
export type PodScope = string | null;

/** Nothing was found: why, and what may have been meant. */
export interface Nothing {
  readonly kind: 'nothing';
  readonly text: string;
}

/** The objects that a subject means: several only for an address that several nodes have, or a pod in all namespaces. */
export async function resolve(
  subject: Subject,
  reader: ClusterReader,
  scope: PodScope,
): Promise<readonly Found[] | Nothing> {
  switch (subject.kind) {
    case 'group':
      return foundGroup(await reader.group(subject.name)) ?? missingGroup(subject.name, reader);
    case 'policy':
      return foundPolicy(await reader.policy(subject.name)) ?? missingPolicy(subject.name, reader);
    case 'node':
      return (
        foundNode(await reader.passthroughNode(subject.name)) ?? missingNode(subject.name, reader)
      );
    case 'pod': {
      const pods = await podsNamed(subject.name, subject.namespace ?? scope, reader);
      return pods.length > 0 ? pods : missingPod(subject.name, subject.namespace ?? scope);
    }
    case 'address':
      return byAddress(subject, reader);
    case 'name':
      return byName(subject.name, reader, scope);
  }
}

const foundGroup = (group: SeenGroup | null): readonly Found[] | null =>
  group && [{ kind: 'group', group, address: null }];
const foundPolicy = (policy: SeenPolicy | null): readonly Found[] | null =>
  policy && [{ kind: 'policy', policy }];
const foundNode = (node: SeenNode | null): readonly Found[] | null =>
  node && [{ kind: 'node', node }];

async function podsNamed(
  name: string,
  scope: PodScope,
  reader: ClusterReader,
): Promise<readonly Found[]> {
  if (scope !== null) {
    const pod = await reader.pod(scope, name);
    return pod === null ? [] : [{ kind: 'pod', pod }];
  }
  const pods = await reader.pods({ fieldSelector: `metadata.name=${name}` });
  return pods.map((pod) => ({ kind: 'pod', pod }));
}

async function byName(
  name: string,
  reader: ClusterReader,
  scope: PodScope,
): Promise<readonly Found[] | Nothing> {
  const [group, policy, node, pods] = await Promise.all([
    reader.group(name),
    reader.policy(name),
    reader.passthroughNode(name),
    podsNamed(name, scope, reader).catch(ifRefused),
  ]);
  const found = [foundGroup(group), foundPolicy(policy), foundNode(node), pods].filter(
    (each) => each !== null && each.length > 0,
  );
  const [first, second] = found;
  if (first === undefined || first === null) return missingName(name, reader, scope);
  if (second === undefined) return first;
  const could = found
    .flatMap((each) => each?.slice(0, 1) ?? [])
    .map(({ kind }) => `${kind}/${name}`);
  throw new CodedError('WG_FLAG_INVALID', `"${name}" may be ${could.join(' or ')}: say which`);
}

/** Whoever may not look at pods may still ask about everything else. */
function ifRefused(thrown: unknown): readonly Found[] {
  if (thrown instanceof CodedError && thrown.code === 'WG_API_REFUSED') return [];
  throw thrown;
}

async function byAddress(
  { address, node }: Extract<Subject, { kind: 'address' }>,
  reader: ClusterReader,
): Promise<readonly Found[] | Nothing> {
  const groups = await reader.groups(
    node === null ? {} : { labelSelector: `${nodeLabel}=${node}` },
  );
  const found = groups.flatMap((group) => {
    const member = group.status?.members?.find((each) => isAddress(address, each.address));
    return member === undefined ? [] : [{ kind: 'group', group, address: member.address } as const];
  });
  if (found.length > 0) return found.sort((a, b) => (nodeOf(a.group) < nodeOf(b.group) ? -1 : 1));
  const where = node === null ? 'on any node' : `on ${node}`;
  const text =
    `there is no group with ${address} ${where}. Only groups that a policy selects, or that are not with the host, have ` +
    `objects; on the node itself "wholegroup explain ${address}" tells of any device`;
  return { kind: 'nothing', text };
}

function nothing(what: string, meant: string | null): Nothing {
  return { kind: 'nothing', text: meant === null ? what : `${what}; did you mean ${meant}?` };
}

const namesOf = (objects: readonly { readonly metadata: { readonly name: string } }[]): string[] =>
  objects.map(({ metadata }) => metadata.name);

async function missingGroup(name: string, reader: ClusterReader): Promise<Nothing> {
  return nothing(`there is no group ${name}`, nearest(name, namesOf(await reader.groups())));
}

async function missingPolicy(name: string, reader: ClusterReader): Promise<Nothing> {
  return nothing(`there is no policy ${name}`, nearest(name, namesOf(await reader.policies())));
}

async function missingNode(name: string, reader: ClusterReader): Promise<Nothing> {
  const known = namesOf(await reader.passthroughNodes());
  const what = `no agent has told of a node ${name}: is the DaemonSet's pod on it running?`;
  return nothing(what, nearest(name, known));
}

function missingPod(name: string, scope: PodScope): Nothing {
  const where = scope === null ? 'in any namespace' : `in namespace ${scope} (-n chooses another)`;
  return nothing(`there is no pod ${name} ${where}`, null);
}

async function missingName(name: string, reader: ClusterReader, scope: PodScope): Promise<Nothing> {
  const [groups, policies, nodes] = await Promise.all([
    reader.groups(),
    reader.policies(),
    reader.passthroughNodes(),
  ]);
  const where = scope === null ? 'any namespace' : `namespace ${scope}`;
  const known = namesOf([...groups, ...policies, ...nodes]);
  const what = `there is no group, policy or node ${name}, and no such pod in ${where}`;
  return nothing(what, nearest(name, known));
}
