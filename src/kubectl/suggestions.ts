// Names that may stand in an argument, for completion: with a few words about each, nothing that is not there.
import type { ClusterReader } from './reader.ts';
import { groupState } from './group-state.ts';
import type { SeenGroup } from './seen.ts';

/** A word to offer, and what it is. */
export interface Suggestion {
  readonly word: string;
  readonly about: string;
}

type NamedObject = { readonly metadata: { readonly name: string; readonly namespace?: string } };

const suggested = (objects: readonly NamedObject[], about: string): readonly Suggestion[] =>
  objects.map(({ metadata }) => ({ word: metadata.name, about }));

function ofGroup(group: SeenGroup): Suggestion {
  const { metadata, status } = group;
  const about = [
    groupState(group),
    status?.resourceName,
    status?.summary?.pod?.replace('<none>', ''),
  ];
  return { word: metadata.name, about: about.filter(Boolean).join(' ') };
}

/** Groups; of these only the cordoned ones, or only the others, where it matters. */
export async function groupNames(
  reader: ClusterReader,
  cordoned: boolean | null = null,
): Promise<readonly Suggestion[]> {
  const groups = await reader.groups();
  return groups
    .filter(({ spec }) => cordoned === null || (spec?.cordoned === true) === cordoned)
    .map(ofGroup);
}

/** Nodes that an agent has told of. */
export async function nodeNames(reader: ClusterReader): Promise<readonly Suggestion[]> {
  return suggested(await reader.passthroughNodes(), 'node');
}

/** Namespaces. */
export async function namespaceNames(reader: ClusterReader): Promise<readonly Suggestion[]> {
  return suggested(await reader.namespaces(), '');
}

/** Names of resources that policies offer. */
export async function resourceNames(reader: ClusterReader): Promise<readonly Suggestion[]> {
  const policies = await reader.policies();
  return policies.flatMap(({ metadata, spec }) =>
    spec?.resourceName === undefined
      ? []
      : [{ word: spec.resourceName, about: `policy ${metadata.name}` }],
  );
}

/** Whatever can be explained; pods only once their namespace or kind is there, for there are many. */
export async function subjectNames(
  reader: ClusterReader,
  typed: string,
  namespace: string,
): Promise<readonly Suggestion[]> {
  const [head = '', tail] = typed.split('/');
  if (tail !== undefined) return prefixed(reader, head, namespace);
  const [groups, policies, nodes] = await Promise.all([
    groupNames(reader),
    reader.policies(),
    nodeNames(reader),
  ]);
  return [...groups, ...suggested(policies, 'policy'), ...nodes];
}

async function prefixed(
  reader: ClusterReader,
  head: string,
  namespace: string,
): Promise<readonly Suggestion[]> {
  const under = (found: readonly Suggestion[]): readonly Suggestion[] =>
    found.map(({ word, about }) => ({ word: `${head}/${word}`, about }));
  switch (head) {
    case 'group':
    case 'ig':
      return under(await groupNames(reader));
    case 'policy':
    case 'ptp':
      return under(suggested(await reader.policies(), 'policy'));
    case 'node':
    case 'ptn':
      return under(await nodeNames(reader));
    case 'pod':
    case 'po':
      return under(suggested(await reader.pods({ namespace }), 'pod'));
    default:
      return under(suggested(await reader.pods({ namespace: head }), 'pod'));
  }
}
