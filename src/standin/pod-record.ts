// A pod's record: what outlives the kubelet process. The API server's half (phase, deletion) and the
// container runtime's half (which containers run) are both here; what only the kubelet remembers is not.
import type { ContainerRun, ContainerSpec, ContainerState, PodSpec, PodView } from './pod.ts';

/** One container's record. */
export interface ContainerRecord {
  readonly spec: ContainerSpec;
  readonly role: 'init' | 'sidecar' | 'app';
  /** As the API server shows it. */
  state: ContainerState;
  /** Starts so far, over restarts of the kubelet. */
  starts: number;
  /** The run that the runtime has now; null: nothing runs. */
  run: ContainerRun | null;
  /** Exit code of the last run. */
  lastCode: number;
}

/** One pod's record. */
export interface PodRecord {
  readonly spec: PodSpec;
  readonly uid: string;
  phase: PodView['phase'];
  reason: string;
  message: string;
  scheduled: boolean;
  /** Deletion was asked for, with this grace. */
  terminating: { readonly graceMs: number } | null;
  /** The API object is gone. */
  removed: boolean;
  readonly containers: readonly ContainerRecord[];
}

const created: ContainerState = { kind: 'waiting', reason: 'ContainerCreating', message: '' };

/** A new pod, as the API server takes it in. */
export function newPodRecord(spec: PodSpec, uid: string): PodRecord {
  const record =
    (role: (spec: ContainerSpec) => ContainerRecord['role']) => (one: ContainerSpec) => ({
      spec: one,
      role: role(one),
      state: created,
      starts: 0,
      run: null,
      lastCode: 0,
    });
  return {
    spec,
    uid,
    phase: 'Pending',
    reason: '',
    message: '',
    scheduled: false,
    terminating: null,
    removed: false,
    containers: [
      ...(spec.initContainers ?? []).map(
        record((one) => (one.restartable === true ? 'sidecar' : 'init')),
      ),
      ...spec.containers.map(record(() => 'app')),
    ],
  };
}

/** Phase Succeeded or Failed. */
export function isTerminal(pod: PodRecord): boolean {
  return pod.phase === 'Succeeded' || pod.phase === 'Failed';
}

/** What the API server shows. */
export function podView(pod: PodRecord): PodView {
  return {
    namespace: pod.spec.namespace,
    name: pod.spec.name,
    uid: pod.uid,
    phase: pod.phase,
    reason: pod.reason,
    message: pod.message,
    scheduled: pod.scheduled,
    terminating: pod.terminating !== null,
    containers: pod.containers.map((container) => ({
      name: container.spec.name,
      state: container.state,
      restarts: Math.max(0, container.starts - 1),
    })),
  };
}

/** What the scheduler reserves for a pod of one resource: the containers and sidecars together, or its greediest init container. */
export function requestOf(pod: PodRecord, resource: string): number {
  let together = 0;
  let greediest = 0;
  for (const { role, spec } of pod.containers) {
    const count = spec.devices[resource] ?? 0;
    if (role === 'init') greediest = Math.max(greediest, count);
    else together += count;
  }
  return Math.max(together, greediest);
}

/** Every resource a pod asks for. */
export function resourcesOf(pod: PodRecord): readonly string[] {
  return [...new Set(pod.containers.flatMap((one) => Object.keys(one.spec.devices)))];
}

/** What a pod does next. `ready` tells when a container may be started (back-off). */
export type NextStep =
  | { readonly kind: 'start'; readonly container: ContainerRecord }
  | { readonly kind: 'wait'; readonly untilMs: number | null }
  | { readonly kind: 'finish'; readonly phase: 'Succeeded' | 'Failed' };

/** The next step of a running pod, in the kubelet's order: init containers one by one, sidecars stay, then all containers. */
export function nextStep(
  pod: PodRecord,
  nowMs: number,
  readyAtMs: (container: ContainerRecord) => number,
): NextStep {
  const startOrWait = (container: ContainerRecord): NextStep => {
    const untilMs = readyAtMs(container);
    return untilMs <= nowMs ? { kind: 'start', container } : { kind: 'wait', untilMs };
  };
  for (const container of pod.containers) {
    if (container.role === 'app' || container.run !== null) {
      if (container.role === 'init') return { kind: 'wait', untilMs: null };
      continue;
    }
    if (container.role === 'sidecar') return startOrWait(container);
    const { state } = container;
    if (state.kind === 'terminated' && state.code === 0) continue;
    if (state.kind === 'terminated' && pod.spec.restartPolicy === 'Never') {
      return { kind: 'finish', phase: 'Failed' };
    }
    return startOrWait(container);
  }
  return nextOfApps(pod, startOrWait);
}

function nextOfApps(
  pod: PodRecord,
  startOrWait: (container: ContainerRecord) => NextStep,
): NextStep {
  let ended = true;
  let failed = false;
  let earliest: number | null = null;
  for (const container of pod.containers) {
    if (container.role !== 'app') continue;
    if (container.run === null && !hasEnded(pod, container)) {
      const step = startOrWait(container);
      if (step.kind === 'start') return step;
      if (step.kind === 'wait' && step.untilMs !== null) {
        earliest = Math.min(earliest ?? step.untilMs, step.untilMs);
      }
    }
    ended &&= hasEnded(pod, container);
    failed ||= container.state.kind === 'terminated' && container.state.code !== 0;
  }
  if (ended) return { kind: 'finish', phase: failed ? 'Failed' : 'Succeeded' };
  return { kind: 'wait', untilMs: earliest };
}

// Ended for good under the pod's restart policy.
function hasEnded(pod: PodRecord, container: ContainerRecord): boolean {
  if (container.run !== null || container.state.kind !== 'terminated') return false;
  const policy = pod.spec.restartPolicy ?? 'Always';
  return policy === 'Never' || (policy === 'OnFailure' && container.state.code === 0);
}
