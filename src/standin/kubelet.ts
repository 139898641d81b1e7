// The stand-in as tests, the demo and the simulation use it: a node with a kubelet that can be stopped,
// started and rebooted, an API server's worth of pods, and a scheduler that knows extended resources. It
// behaves as the real ones do, quirks included; it makes no excuse for a device plugin.
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Quantity } from './device-table.ts';
import { plainRuntime, type ContainerRun, type ContainerRuntime } from './pod.ts';
import type { ContainerState, PodSpec, PodView } from './pod.ts';
import {
  isTerminal,
  newPodRecord,
  podView,
  requestOf,
  resourcesOf,
  type ContainerRecord,
  type PodRecord,
} from './pod-record.ts';
import { KubeletProcess, type PodDevices } from './process.ts';
import type { Dial, RegisterAnswer, Registration } from './registry.ts';

/** How the stand-in behaves; times in milliseconds. */
export interface StandinOptions {
  readonly clock: Clock;
  /** Decides what Go leaves to the order of maps. */
  readonly random: Random;
  readonly runtime?: ContainerRuntime;
  /** The end of an old stream disconnects a newer registration (real; default true). */
  readonly runClientRace?: boolean;
  /** How late the kubelet notices that a stream has ended. Default 0. */
  readonly streamEndMs?: number;
  /** From a start until the kubelet has its pods; List is empty until then. Default 1500. */
  readonly sourcesReadyMs?: number;
  /** Between two node statuses. Default 1000 (a real one: 10 000). */
  readonly nodeStatusMs?: number;
  /** Until a failed start is tried again. Default 10 000. */
  readonly syncMs?: number;
  /** From a pod's end until its object is removed. Default 300. */
  readonly removeMs?: number;
  /** List as before 1.34. Default false. */
  readonly listFinishedPods?: boolean;
  /** The checkpoint that the first process finds; null or absent: none. UIDs count from 1 again. */
  readonly checkpoint?: string | null;
}

/** A node with its kubelet and its pods. */
export class StandinKubelet {
  readonly #options: StandinOptions;
  readonly #runtime: ContainerRuntime;
  readonly #pods = new Map<string, PodRecord>();
  readonly #listeners = new Set<() => void>();
  #process: KubeletProcess | null = null;
  #starts = 0;
  #created = 0;
  #checkpoint: string | null = null;
  #status: ReadonlyMap<string, Quantity> = new Map();

  constructor(options: StandinOptions) {
    this.#options = options;
    this.#runtime = options.runtime ?? plainRuntime;
    this.#checkpoint = options.checkpoint ?? null;
  }

  /** True while a kubelet process runs. */
  get isUp(): boolean {
    return this.#process !== null;
  }

  /** Number of starts: another number is another kubelet process. */
  get incarnation(): number {
    return this.#starts;
  }

  /** Starts the kubelet with the checkpoint it left. Does nothing when one runs. */
  start(): void {
    if (this.#process !== null) return;
    this.#starts += 1;
    const { clock, random } = this.#options;
    this.#process = new KubeletProcess({
      clock,
      random,
      runtime: this.#runtime,
      manners: {
        runClientRace: this.#options.runClientRace ?? true,
        streamEndMs: this.#options.streamEndMs ?? 0,
      },
      sourcesReadyMs: this.#options.sourcesReadyMs ?? 1500,
      nodeStatusMs: this.#options.nodeStatusMs ?? 1000,
      syncMs: this.#options.syncMs ?? 10_000,
      listFinishedPods: this.#options.listFinishedPods ?? false,
      pods: () => [...this.#pods.values()].filter((pod) => pod.scheduled),
      readCheckpoint: () => this.#checkpoint,
      writeCheckpoint: (text) => {
        this.#checkpoint = text;
      },
      publish: (status) => {
        this.#status = status;
        this.#schedule();
        this.#changed();
      },
      changed: () => this.#changed(),
      willExit: (pod, container, run) => this.#willExit(pod, container, run),
      terminated: (pod) => this.#terminated(pod),
    });
    this.#changed();
  }

  /** Ends the kubelet as by SIGKILL; containers run on. */
  stop(): void {
    this.#process?.kill();
    this.#process = null;
    this.#changed();
  }

  /** The node goes down: the kubelet and every container end at once. `start` boots it again. */
  powerOff(): void {
    this.stop();
    for (const pod of this.#pods.values()) {
      for (const container of pod.containers) {
        if (container.run !== null) this.#exit(pod, container, container.run, 137);
        if (!isTerminal(pod)) container.state = stateAfterPowerOff(pod, container);
      }
      if (pod.removed) this.#pods.delete(pod.uid);
    }
  }

  /** A plugin registers. Refused when no kubelet runs. */
  register(request: Registration, dial: Dial): Promise<RegisterAnswer> {
    const message = 'no kubelet is running';
    return (
      this.#process?.registry.register(request, dial) ??
      Promise.resolve({ kind: 'refused', message })
    );
  }

  /** A fault: the connection to the plugin of `resource` breaks, and the kubelet stays up. */
  dropPlugin(resource: string): void {
    this.#process?.registry.drop(resource);
  }

  /** The checkpoint as it is on disk; null before the first. */
  get checkpoint(): string | null {
    return this.#checkpoint;
  }

  /** Loses the checkpoint: what a wiped kubelet folder does. */
  loseCheckpoint(): void {
    this.#checkpoint = null;
  }

  /** The node's status for one resource, as last published. */
  quantity(resource: string): Quantity {
    return this.#status.get(resource) ?? { capacity: 0, allocatable: 0 };
  }

  /** Creates a pod; returns its UID. Names may be used again, UIDs are not. */
  createPod(spec: PodSpec): string {
    this.#created += 1;
    const uid = `00000000-0000-4000-8000-${String(this.#created).padStart(12, '0')}`;
    this.#pods.set(uid, newPodRecord(spec, uid));
    this.#schedule();
    this.#changed();
    return uid;
  }

  /**
   * Deletes a pod by UID: its containers get `graceMs` (default: the pod's own, else 30 s), then the object goes. `force`: the
   * object goes now, whatever still runs. Unknown UIDs are ignored.
   */
  deletePod(uid: string, how: { readonly graceMs?: number; readonly force?: boolean } = {}): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined || pod.removed) return;
    pod.terminating ??= { graceMs: how.graceMs ?? pod.spec.graceMs ?? 30_000 };
    if (how.force === true || !pod.scheduled || isTerminal(pod)) this.#remove(pod);
    this.#process?.podChanged(pod);
    this.#changed();
  }

  /** A container ends by itself now. Nothing happens when it does not run. */
  exitContainer(uid: string, name: string, code: number): void {
    const pod = this.#pods.get(uid);
    const container = pod?.containers.find((one) => one.spec.name === name);
    if (pod === undefined || container === undefined || container.run === null) return;
    this.#exit(pod, container, container.run, code);
  }

  /** Pods as the API server shows them, in order of creation. */
  pods(): readonly PodView[] {
    return [...this.#pods.values()].filter((pod) => !pod.removed).map(podView);
  }

  /** One pod by UID; undefined when its object is gone. */
  pod(uid: string): PodView | undefined {
    const pod = this.#pods.get(uid);
    return pod === undefined || pod.removed ? undefined : podView(pod);
  }

  /** Runs that the container runtime has now, whatever the API server shows. */
  runs(): readonly ContainerRun[] {
    return [...this.#pods.values()].flatMap((pod) =>
      pod.containers.flatMap((container) => (container.run === null ? [] : [container.run])),
    );
  }

  /** PodResources List; null when no kubelet runs. Frees what pods that are not active had. */
  list(): readonly PodDevices[] | null {
    return this.#process?.list() ?? null;
  }

  /** PodResources GetAllocatableResources; null when no kubelet runs. */
  allocatable(): ReadonlyMap<string, readonly string[]> | null {
    return this.#process?.allocatable() ?? null;
  }

  /** Calls `listener` after pods or the node's status changed, until closed. */
  onChange(listener: () => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  // The scheduler: what is published, less what bound pods ask for that have not ended for the API server.
  #schedule(): void {
    for (const pod of this.#pods.values()) {
      if (pod.scheduled || pod.removed || pod.terminating !== null) continue;
      const short = resourcesOf(pod).find(
        (name) => requestOf(pod, name) > this.quantity(name).allocatable - this.#requested(name),
      );
      pod.scheduled = short === undefined;
      pod.reason = short === undefined ? '' : 'Unschedulable';
      pod.message = short === undefined ? '' : `0/1 nodes are available: 1 Insufficient ${short}.`;
      if (pod.scheduled) this.#process?.podBound(pod);
    }
  }

  #requested(resource: string): number {
    let sum = 0;
    for (const pod of this.#pods.values()) {
      if (pod.scheduled && !pod.removed && !isTerminal(pod)) sum += requestOf(pod, resource);
    }
    return sum;
  }

  #willExit(pod: PodRecord, container: ContainerRecord, run: ContainerRun): void {
    const { exits } = container.spec;
    if (exits === undefined) return;
    this.#options.clock.after(exits.afterMs, () => this.#exit(pod, container, run, exits.code));
  }

  #exit(pod: PodRecord, container: ContainerRecord, run: ContainerRun, code: number): void {
    if (container.run !== run) return;
    container.run = null;
    container.lastCode = code;
    this.#runtime.exited(run, code);
    this.#process?.podChanged(pod);
  }

  #terminated(pod: PodRecord): void {
    this.#schedule();
    if (pod.removed) this.#pods.delete(pod.uid);
    if (pod.terminating === null || pod.removed) return;
    this.#options.clock.after(this.#options.removeMs ?? 300, () => {
      if (pod.removed) return;
      this.#remove(pod);
      this.#process?.podChanged(pod);
      this.#changed();
    });
  }

  // The object goes; the record stays while something of it runs or is being started.
  #remove(pod: PodRecord): void {
    pod.removed = true;
    const busy = this.#process?.isWorkingOn(pod) === true;
    if (!busy && pod.containers.every((one) => one.run === null)) this.#pods.delete(pod.uid);
    this.#schedule();
  }
}

// The sandbox is gone with the node: init containers run again, too, unless the pod may not restart.
function stateAfterPowerOff(pod: PodRecord, container: ContainerRecord): ContainerState {
  if (pod.spec.restartPolicy === 'Never' && container.starts > 0) {
    return { kind: 'terminated', code: container.lastCode };
  }
  return { kind: 'waiting', reason: 'ContainerCreating', message: '' };
}
