// Objects as a person's tool reads them: whoever wrote them may be older or newer than this program, so everything
// but the name may be missing.
import type { GroupSpec, GroupStatus } from '../api/iommu-group.ts';
import type { NodeStatus } from '../api/passthrough-node.ts';
import type { PolicyStatus } from '../api/passthrough-policy.ts';
import type { KubeObject } from '../cluster/objects.ts';

/** An IOMMUGroup; without a status until its agent has written one. */
export interface SeenGroup extends KubeObject {
  readonly spec?: Partial<GroupSpec>;
  readonly status?: GroupStatus;
}

/** A PassthroughNode. */
export interface SeenNode extends KubeObject {
  readonly status?: NodeStatus;
}

/** A PassthroughPolicy; its status is the controller's. */
export interface SeenPolicy extends KubeObject {
  readonly spec?: { readonly resourceName?: string; readonly priority?: number };
  readonly status?: PolicyStatus;
}

/** A Node of Kubernetes. */
export interface KubeNode extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

interface Container {
  readonly name: string;
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string | number>>;
    readonly requests?: Readonly<Record<string, string | number>>;
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
  };
}

/** A Pod, as far as devices go. */
export interface SeenPod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** An Event of events.k8s.io/v1; those of the old recorder have the deprecated times. */
export interface SeenEvent extends KubeObject {
  readonly eventTime?: string | null;
  readonly deprecatedFirstTimestamp?: string | null;
  readonly deprecatedLastTimestamp?: string | null;
  readonly deprecatedCount?: number;
  readonly reason?: string;
  readonly type?: string;
  readonly note?: string;
  readonly reportingController?: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}
