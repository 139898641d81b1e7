// Pods as the stand-in keeps them: what was asked for, and what the API server would show. No scheduling
// and no devices here.
import type { ContainerGrant } from '../kubelet/door.ts';

/** One container of a pod. */
export interface ContainerSpec {
  readonly name: string;
  /** Extended resources by name; requests and limits are the same for them. */
  readonly devices: Readonly<Record<string, number>>;
  /** Ends by itself: every start runs so long and then exits with `code`. Absent: runs until stopped. */
  readonly exits?: { readonly afterMs: number; readonly code: number };
  /** Of init containers: a sidecar, which runs beside the containers (restartPolicy Always). */
  readonly restartable?: boolean;
}

/** A pod that was asked for. */
export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly initContainers?: readonly ContainerSpec[];
  readonly containers: readonly ContainerSpec[];
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly graceMs?: number;
}

/** State of one container, as in pod.status.containerStatuses. */
export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running' }
  | { readonly kind: 'terminated'; readonly code: number };

/** One container as the API server shows it. */
export interface ContainerView {
  readonly name: string;
  readonly state: ContainerState;
  readonly restarts: number;
}

/** A pod as the API server shows it. */
export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  /** `Unschedulable`, `UnexpectedAdmissionError`, …; "" when there is nothing to say. */
  readonly reason: string;
  readonly message: string;
  readonly scheduled: boolean;
  /** Deletion was asked for. */
  readonly terminating: boolean;
  readonly containers: readonly ContainerView[];
}

/** One run of one container. */
export interface ContainerRun {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** 0 for the first start. */
  readonly attempt: number;
  /** The answers of Allocate for all its resources, merged. */
  readonly grant: ContainerGrant;
}

/** What came of a container's creation. */
export type StartOutcome =
  | { readonly kind: 'started' }
  | { readonly kind: 'failed'; readonly message: string };

/** The container runtime below the stand-in: what a container does is the business of whoever uses it. */
export interface ContainerRuntime {
  /** Makes and starts the container; `failed` is a create error (a device node that is not there). */
  start(run: ContainerRun): Promise<StartOutcome>;
  /** Ends a container; resolves when its last process has ended. */
  stop(run: ContainerRun, graceMs: number): Promise<void>;
  /** The container ended by itself, or the node went down with it. */
  exited(run: ContainerRun, code: number): void;
}

/** A runtime in which every container starts and stops at once. */
export const plainRuntime: ContainerRuntime = {
  start: () => Promise.resolve({ kind: 'started' }),
  stop: () => Promise.resolve(),
  exited() {},
};
