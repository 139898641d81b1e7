// Objects of the Kubernetes API as they come off the wire: raw JSON, the same from a list and from a watch. No
// typed models: a model drops the fields that it does not know, and gives dates where a watch gives strings.
import { apiVersion } from '../api/metadata.ts';

/** metadata as far as this room reads it; other fields pass through untouched. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** An owner: the object is collected when the owner is gone. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Any object. Items of a list carry neither apiVersion nor kind. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** A time as the API server writes times: RFC 3339 in whole seconds, UTC. */
export function apiTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Name, identity and labels, without the rest: what is kept of a Node. */
export function labelsOnly({ metadata }: KubeObject): KubeObject {
  const { name, uid, resourceVersion, labels } = metadata;
  return { metadata: { name, uid, resourceVersion, labels } as ObjectMeta };
}

/** The object as it was without the bookkeeping of who wrote which field, which may be longer than the rest. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & {
    managedFields?: unknown;
  };
  return { ...object, metadata };
}

/** Which object: `namespace` only for namespaced resources. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

/** A resource of the API. */
export interface Resource {
  /** The API group; "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

const [ownGroup = '', ownVersion = ''] = apiVersion.split('/');
const own = (plural: string, kind: string): Resource => ({
  group: ownGroup,
  version: ownVersion,
  plural,
  kind,
});

/** The resources that wholegroup reads or writes; there are no others. */
export const resources = {
  policies: own('passthroughpolicies', 'PassthroughPolicy'),
  groups: own('iommugroups', 'IOMMUGroup'),
  passthroughNodes: own('passthroughnodes', 'PassthroughNode'),
  nodes: { group: '', version: 'v1', plural: 'nodes', kind: 'Node' },
  pods: { group: '', version: 'v1', plural: 'pods', kind: 'Pod' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' },
  events: { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' },
} as const satisfies Record<string, Resource>;

/** apiVersion of the objects of a resource. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** Where in a resource: all of it, one namespace, one object, or a part of one. */
export interface ResourcePlace {
  readonly namespace?: string | undefined;
  readonly name?: string;
  readonly subresource?: 'status';
}

/** The URL path of a place in a resource. */
export function resourcePath(resource: Resource, place: ResourcePlace = {}): string {
  const root = resource.group === '' ? ['api'] : ['apis', resource.group];
  const parts = [...root, resource.version];
  if (place.namespace !== undefined) parts.push('namespaces', place.namespace);
  parts.push(resource.plural);
  if (place.name !== undefined) parts.push(place.name);
  if (place.subresource !== undefined) parts.push(place.subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** Key of an object within its resource: `name`, or `namespace/name`. */
export function objectKey({ namespace, name }: ObjectRef): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
