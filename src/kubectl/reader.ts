// What the questions of a person read from the API server. A refusal is a CodedError that names the remedy; what is
// only good to know besides (Nodes, Events) may be refused, and is null then.
import { CodedError } from '../base/errors.ts';
import { nodeLabel } from '../api/iommu-group.ts';
import type { ApiClient } from '../cluster/client.ts';
import { type KubeObject, type ObjectRef, type Resource, resources } from '../cluster/objects.ts';
import { type ApiProblem, problemText } from '../cluster/problem.ts';
import type { Selection } from '../cluster/query.ts';
import type { KubeNode, SeenEvent, SeenGroup, SeenNode, SeenPod, SeenPolicy } from './seen.ts';

const pageObjects = 500;

/** The problem as the end of a command. */
export function apiError(resource: Resource, problem: ApiProblem): CodedError {
  const message = problemText(problem);
  switch (problem.kind) {
    case 'unavailable':
    case 'tooMany':
    case 'gone':
    case 'aborted':
      return new CodedError('WG_API_UNREACHABLE', message);
    case 'notFound':
      return new CodedError('WG_NOT_INSTALLED', `there is no resource ${resource.plural}`);
    case 'conflict':
    case 'alreadyExists':
    case 'unauthorized':
    case 'forbidden':
    case 'invalid':
    case 'refused':
      return new CodedError('WG_API_REFUSED', message);
  }
}

/** Reads. Everything that may be large is read by pages. */
export class ClusterReader {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Of a server that has the custom resources: an error when it has not. */
  groups(selection: Selection = {}): Promise<readonly SeenGroup[]> {
    return this.#list(resources.groups, selection);
  }

  groupsOfNodes(names: readonly string[]): Promise<readonly SeenGroup[]> {
    return this.groups(
      names.length === 0 ? {} : { labelSelector: `${nodeLabel} in (${names.join(',')})` },
    );
  }

  passthroughNodes(): Promise<readonly SeenNode[]> {
    return this.#list(resources.passthroughNodes, {});
  }

  policies(): Promise<readonly SeenPolicy[]> {
    return this.#list(resources.policies, {});
  }

  pods(selection: Selection): Promise<readonly SeenPod[]> {
    return this.#list(resources.pods, selection);
  }

  namespaces(): Promise<readonly KubeObject[]> {
    return this.#list(resources.namespaces, {});
  }

  /** Nodes of Kubernetes; null when they may not be listed. */
  nodes(): Promise<readonly KubeNode[] | null> {
    return this.#mayList(resources.nodes, {});
  }

  /** Events about an object, in no order; null when they may not be listed. */
  eventsAbout(kind: string, { namespace, name }: ObjectRef): Promise<readonly SeenEvent[] | null> {
    return this.#mayList(resources.events, {
      // Events about what is in no namespace are in this one.
      namespace: namespace ?? 'default',
      fieldSelector: `regarding.kind=${kind},regarding.name=${name}`,
    });
  }

  group(name: string): Promise<SeenGroup | null> {
    return this.#get(resources.groups, { name });
  }

  policy(name: string): Promise<SeenPolicy | null> {
    return this.#get(resources.policies, { name });
  }

  passthroughNode(name: string): Promise<SeenNode | null> {
    return this.#get(resources.passthroughNodes, { name });
  }

  pod(namespace: string, name: string): Promise<SeenPod | null> {
    return this.#get(resources.pods, { namespace, name });
  }

  async #list<T extends KubeObject>(
    resource: Resource,
    selection: Selection,
  ): Promise<readonly T[]> {
    const found: T[] = [];
    let next: string | undefined;
    do {
      const page = await this.#client.list<T>(resource, {
        ...{ ...selection, limit: pageObjects, continue: next },
      });
      if (!page.ok) throw apiError(resource, page.problem);
      found.push(...(page.value.items ?? []));
      next = page.value.metadata.continue;
    } while (next !== undefined && next !== '');
    return found;
  }

  async #mayList<T extends KubeObject>(
    resource: Resource,
    selection: Selection,
  ): Promise<readonly T[] | null> {
    try {
      return await this.#list<T>(resource, selection);
    } catch (thrown) {
      if (thrown instanceof CodedError && thrown.code === 'WG_API_REFUSED') return null;
      throw thrown;
    }
  }

  async #get<T extends KubeObject>(resource: Resource, ref: ObjectRef): Promise<T | null> {
    const answer = await this.#client.get<T>(resource, ref);
    if (answer.ok) return answer.value;
    if (answer.problem.kind === 'notFound') return null;
    throw apiError(resource, answer.problem);
  }
}
