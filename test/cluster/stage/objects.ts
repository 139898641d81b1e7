// Objects of the API server as scenarios read them: the fields that they look at.

/** A condition of a status. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly deletionTimestamp?: string;
}

/** State of a container. */
export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly state: {
    readonly running?: { readonly startedAt: string };
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly exitCode: number; readonly reason?: string };
  };
}

/** A pod. */
export interface Pod {
  readonly metadata: Metadata;
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** A node. */
export interface Node {
  readonly metadata: Metadata;
  readonly status: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly capacity?: Readonly<Record<string, string>>;
    readonly conditions?: readonly Condition[];
  };
}

/** An IOMMUGroup. */
export interface GroupObject {
  readonly metadata: Metadata;
  readonly status?: {
    readonly groupNumber?: number;
    readonly phase: string;
    readonly owner: string;
    readonly members: readonly {
      readonly address: string;
      readonly role: string;
      readonly driver?: string;
    }[];
    readonly blockers?: readonly {
      readonly kind: string;
      readonly message: string;
      readonly remedy: string;
    }[];
    readonly lease?: {
      readonly pod?: { readonly namespace: string; readonly name: string; readonly uid: string };
    };
    readonly fault?: { readonly reason: string; readonly message: string };
    readonly summary: { readonly why: string; readonly pod: string };
    readonly conditions?: readonly Condition[];
  };
}

/** A Kubernetes Event. */
export interface EventObject {
  readonly reason: string;
  readonly note?: string;
  readonly regarding?: { readonly kind: string; readonly name: string };
}
