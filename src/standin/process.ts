// One kubelet process: everything that is lost when it ends. Admission is one queue, so a slow Allocate
// holds up every pod; what it remembers of devices comes from the checkpoint.
import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import {
  admitPod,
  updateAllocatedDevices,
  type AdmissionContext,
  type AdmittedPod,
} from './admission.ts';
import { byNode } from './checkpoint.ts';
import { DeviceTable, type Quantity } from './device-table.ts';
import type { ContainerRun, ContainerRuntime } from './pod.ts';
import { isTerminal, type ContainerRecord, type PodRecord } from './pod-record.ts';
import { PodWorker, type WorkerContext } from './pod-worker.ts';
import { PluginRegistry, type RegistryManners } from './registry.ts';

/** One pod in a PodResources list. */
export interface PodDevices {
  readonly namespace: string;
  readonly pod: string;
  readonly containers: readonly {
    readonly name: string;
    /** A resource comes once for each NUMA node; node -1 means no topology. */
    readonly devices: readonly {
      readonly resource: string;
      readonly ids: readonly string[];
      readonly numaNode: number;
    }[];
  }[];
}

/** What a process finds on its node, and tells it. */
export interface ProcessContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly runtime: ContainerRuntime;
  readonly manners: RegistryManners;
  readonly sourcesReadyMs: number;
  readonly nodeStatusMs: number;
  readonly syncMs: number;
  /** Before 1.34 List had finished pods, too. */
  readonly listFinishedPods: boolean;
  /** Pods bound to this node, in order of creation; those whose object is gone but which still run, too. */
  pods(): readonly PodRecord[];
  readCheckpoint(): string | null;
  writeCheckpoint(text: string): void;
  /** The node's status, as far as extended resources go. */
  publish(status: ReadonlyMap<string, Quantity>): void;
  changed(): void;
  willExit(pod: PodRecord, container: ContainerRecord, run: ContainerRun): void;
  /** The pod has ended and its status is final. */
  terminated(pod: PodRecord): void;
}

/** A running kubelet. */
export class KubeletProcess {
  readonly registry: PluginRegistry;
  readonly #context: ProcessContext;
  readonly #table: DeviceTable;
  readonly #admission: AdmissionContext;
  readonly #running: ReadonlySet<string>;
  /** The pod manager: pods this process has seen from the API server. */
  readonly #known = new Map<string, PodRecord>();
  readonly #ended = new Set<string>();
  readonly #workers = new Map<string, PodWorker>();
  readonly #timers = new Set<Timer>();
  #queue: Promise<void> = Promise.resolve();
  #sourcesReady = false;
  #alive = true;

  /** Starts: reads the checkpoint, and sees its pods sourcesReadyMs later. */
  constructor(context: ProcessContext) {
    this.#context = context;
    this.#table = DeviceTable.restore(context.readCheckpoint());
    const changed = (): void => context.writeCheckpoint(this.#table.checkpoint());
    this.registry = new PluginRegistry(this.#table, context.clock, context.manners, changed);
    this.#running = new Set(
      context
        .pods()
        .flatMap((pod) =>
          pod.containers
            .filter((container) => container.run !== null)
            .map((container) => `${pod.uid}/${container.spec.name}`),
        ),
    );
    this.#admission = {
      table: this.#table,
      registry: this.registry,
      random: context.random,
      sourcesReady: () => this.#sourcesReady,
      isRunning: (uid, container) => this.#running.has(`${uid}/${container}`),
      activePods: () => new Set(this.#activePods().map((pod) => pod.uid)),
      changed,
      isAlive: () => this.#alive,
    };
    this.#after(context.sourcesReadyMs, () => this.#seePods());
    this.#publishLater();
  }

  /** Ends at once, as by SIGKILL: connections break, calls that run are forgotten, containers run on. */
  kill(): void {
    this.#alive = false;
    for (const timer of this.#timers) timer.clear();
    this.registry.close();
    for (const worker of this.#workers.values()) worker.poke();
  }

  /** A pod was bound to the node. Before the pods are seen it does nothing: it will be among them. */
  podBound(pod: PodRecord): void {
    if (this.#sourcesReady) this.#admitLater(pod);
  }

  /** Something happened to a pod: a container ended, deletion was asked for, the object is gone. */
  podChanged(pod: PodRecord): void {
    if (pod.removed) this.#known.delete(pod.uid);
    this.#workers.get(pod.uid)?.poke();
  }

  /** True while a worker is at this pod: starting, running or ending it. */
  isWorkingOn(pod: PodRecord): boolean {
    return this.#workers.has(pod.uid);
  }

  /** PodResources List. Frees, as a side effect, what pods that are not active had. */
  list(): readonly PodDevices[] {
    updateAllocatedDevices(this.#admission);
    const pods = this.#context.listFinishedPods ? [...this.#known.values()] : this.#activePods();
    return pods.map((pod) => ({
      namespace: pod.spec.namespace,
      pod: pod.spec.name,
      containers: pod.containers
        .filter((container) => container.role !== 'init')
        .map((container) => ({
          name: container.spec.name,
          devices: this.#listDevices(pod, container),
        })),
    }));
  }

  /** PodResources GetAllocatableResources: healthy devices only. */
  allocatable(): ReadonlyMap<string, readonly string[]> {
    return new Map(
      this.#table.resources().map((name) => [name, [...(this.#table.healthy(name) ?? [])].sort()]),
    );
  }

  #listDevices(
    pod: PodRecord,
    container: ContainerRecord,
  ): PodDevices['containers'][number]['devices'] {
    return this.#table
      .entriesOf(pod.uid, container.spec.name)
      .flatMap((entry) =>
        Object.entries(byNode(entry.ids, (id) => this.#table.nodesOf(entry.resource, id))).map(
          ([node, ids]) => ({ resource: entry.resource, ids, numaNode: Number(node) }),
        ),
      );
  }

  // filterOutInactivePods: known terminated, or terminal and not being deleted.
  #activePods(): readonly PodRecord[] {
    return [...this.#known.values()].filter(
      (pod) => !this.#ended.has(pod.uid) && !(isTerminal(pod) && pod.terminating === null),
    );
  }

  #after(delayMs: number, fire: () => void): void {
    const timer = this.#context.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      if (this.#alive) fire();
    });
    this.#timers.add(timer);
  }

  #publishLater(): void {
    this.#after(this.#context.nodeStatusMs, () => {
      this.registry.forgetExpired();
      const status = new Map<string, Quantity>();
      for (const name of this.#table.resources()) status.set(name, this.#table.quantity(name));
      this.#context.publish(status);
      this.#publishLater();
    });
  }

  #seePods(): void {
    for (const pod of this.#context.pods()) {
      if (pod.removed) this.#startWorker(pod);
      else this.#admitLater(pod);
    }
    this.#enqueue(() => {
      this.#sourcesReady = true;
      // Pods that were bound while the others were admitted.
      for (const pod of this.#context.pods()) {
        if (!this.#known.has(pod.uid) && !pod.removed) this.#admitLater(pod);
      }
      return Promise.resolve();
    });
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(() => (this.#alive ? work() : undefined));
  }

  #admitLater(pod: PodRecord): void {
    this.#enqueue(() => this.#admit(pod));
  }

  async #admit(pod: PodRecord): Promise<void> {
    if (pod.removed || this.#known.has(pod.uid)) return;
    this.#known.set(pod.uid, pod);
    if (isTerminal(pod) && pod.terminating === null) return;
    if (pod.terminating === null) {
      const result = await admitPod(this.#admission, admitted(pod));
      if (!this.#alive) return;
      if (!result.ok) {
        this.#reject(pod, result.problem);
        return;
      }
    }
    this.#startWorker(pod);
  }

  // A rejected pod is Failed for good; a container of it that still runs is ended (after a reboot none does).
  #reject(pod: PodRecord, problem: string): void {
    pod.phase = 'Failed';
    pod.reason = 'UnexpectedAdmissionError';
    pod.message = `Pod was rejected: Allocate failed due to ${problem}, which is unexpected`;
    this.#context.changed();
    if (pod.terminating !== null || pod.containers.some((one) => one.run !== null)) {
      this.#startWorker(pod);
    }
  }

  #startWorker(pod: PodRecord): void {
    if (this.#workers.has(pod.uid)) return;
    const { clock, runtime, syncMs } = this.#context;
    const context: WorkerContext = {
      clock,
      runtime,
      syncMs,
      admission: this.#admission,
      changed: () => this.#context.changed(),
      willExit: (...run) => this.#context.willExit(...run),
      terminated: (ended) => {
        this.#ended.add(ended.uid);
        this.#context.terminated(ended);
      },
    };
    const worker = new PodWorker(context, pod);
    this.#workers.set(pod.uid, worker);
    void worker.run().finally(() => this.#workers.delete(pod.uid));
  }
}

function admitted(pod: PodRecord): AdmittedPod {
  return { uid: pod.uid, spec: pod.spec };
}
