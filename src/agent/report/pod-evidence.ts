// What the API server knows about the pod of a lease, as far as the rule about ended leases asks. Pure.
import type { PodStatus } from '../../kubelet/departure.ts';
import type { Lease } from '../../ownership/record.ts';

/** A pod as it is kept: what tells whether its containers are over. */
export interface KeptPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  readonly phase: string;
  /** No container of it runs, as far as its status tells. */
  readonly containersTerminated: boolean;
}

interface ContainerStatus {
  readonly state?: { readonly terminated?: object };
}

interface PodObject {
  readonly metadata: KeptPod['metadata'];
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** What is kept of a pod. */
export function keptPod(pod: PodObject): KeptPod {
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  const { phase, containerStatuses, initContainerStatuses } = pod.status ?? {};
  const containers = [...(containerStatuses ?? []), ...(initContainerStatuses ?? [])];
  return {
    metadata: { name, ...{ namespace, uid, resourceVersion } } as KeptPod['metadata'],
    phase: phase ?? '',
    containersTerminated: containers.every(({ state }) => state?.terminated !== undefined),
  };
}

/** What is known of the API server's pods of this node. */
export interface KnownPods {
  /** Null: the list is whole and heard of now; otherwise why it is not to be trusted. */
  readonly distrust: string | null;
  readonly get: (namespace: string, name: string) => KeptPod | undefined;
}

/** What the API server knows about the pod of a lease. */
export function podStatus(lease: Lease, pods: KnownPods): PodStatus {
  if (lease.pod === null) return { kind: 'unidentified' };
  if (pods.distrust !== null) return { kind: 'unknown', why: pods.distrust };
  const pod = pods.get(lease.pod.namespace, lease.pod.name);
  if (pod === undefined) return { kind: 'absent' };
  if (lease.pod.uid === null) {
    return {
      kind: 'unknown',
      why: 'a pod of that name is there, and it is not known if it is the same',
    };
  }
  if (pod.metadata.uid !== lease.pod.uid) return { kind: 'absent' };
  const terminal = pod.phase === 'Succeeded' || pod.phase === 'Failed';
  return terminal
    ? { kind: 'terminal', containersTerminated: pod.containersTerminated }
    : { kind: 'alive' };
}
