// One pod's worker: starts what is to be started, starts it again with back-off, and ends it. One loop;
// everything that happens outside only wakes it. It ends with its kubelet process and leaves containers alone.
import type { Clock, Timer } from '../base/clock.ts';
import { beforeStart, type AdmissionContext } from './admission.ts';
import type { ContainerRun, ContainerRuntime } from './pod.ts';
import { isTerminal, nextStep, type ContainerRecord, type PodRecord } from './pod-record.ts';

/** What a worker needs of its kubelet. */
export interface WorkerContext {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly admission: AdmissionContext;
  /** Wait before a start is tried again that failed before the container ran (the kubelet's next sync). */
  readonly syncMs: number;
  /** Something that the API server shows has changed. */
  changed(): void;
  /** A run ends by itself after a time: the runtime's business, which goes on without the kubelet. */
  willExit(pod: PodRecord, container: ContainerRecord, run: ContainerRun): void;
  /** Every container has stopped: SyncTerminatingPod returned. */
  terminated(pod: PodRecord): void;
}

// Crash back-off: 10 s, doubled to 5 min, forgotten after 10 min of running.
const backoffFirstMs = 10_000;
const backoffMaxMs = 300_000;
const backoffForgetMs = 600_000;

interface Backoff {
  crashes: number;
  readyAtMs: number;
  startedAtMs: number;
}

/** The worker of one admitted pod. */
export class PodWorker {
  readonly #context: WorkerContext;
  readonly #pod: PodRecord;
  readonly #backoffs = new Map<ContainerRecord, Backoff>();
  #wake: (() => void) | null = null;
  #poked = false;
  #timer: Timer | null = null;

  constructor(context: WorkerContext, pod: PodRecord) {
    this.#context = context;
    this.#pod = pod;
  }

  /** Runs until the pod has ended or the kubelet has. */
  async run(): Promise<void> {
    const { admission, clock } = this.#context;
    const pod = this.#pod;
    while (admission.isAlive()) {
      this.#poked = false;
      this.#noticeExits();
      if (pod.terminating !== null || pod.removed) {
        await this.#terminate(pod.terminating?.graceMs ?? 0, null);
        return;
      }
      if (isTerminal(pod)) {
        // Rejected while it runs: what is left of it is ended.
        await this.#terminate(pod.spec.graceMs ?? 0, 'Failed');
        return;
      }
      const step = nextStep(pod, clock.monotonicMs(), (one) => this.#backoffOf(one).readyAtMs);
      if (step.kind === 'finish') {
        await this.#terminate(pod.spec.graceMs ?? 0, step.phase);
        return;
      }
      if (step.kind === 'start') await this.#start(step.container);
      else await this.#wait(step.untilMs);
    }
  }

  /** Something happened to the pod: look again. */
  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  #wait(untilMs: number | null): Promise<void> {
    if (this.#poked) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#timer?.clear();
        this.#wake = null;
        resolve();
      };
      if (untilMs === null) return;
      const { clock } = this.#context;
      const delayMs = Math.max(0, untilMs - clock.monotonicMs());
      this.#timer = clock.after(delayMs, () => this.#wake?.());
    });
  }

  #backoffOf(container: ContainerRecord): Backoff {
    const found = this.#backoffs.get(container);
    if (found !== undefined) return found;
    const made = { crashes: 0, readyAtMs: 0, startedAtMs: this.#context.clock.monotonicMs() };
    this.#backoffs.set(container, made);
    return made;
  }

  // A run that is over while the API server still shows it running.
  #noticeExits(): void {
    const nowMs = this.#context.clock.monotonicMs();
    for (const container of this.#pod.containers) {
      if (container.run !== null || container.state.kind !== 'running') continue;
      container.state = { kind: 'terminated', code: container.lastCode };
      const backoff = this.#backoffOf(container);
      if (nowMs - backoff.startedAtMs >= backoffForgetMs) backoff.crashes = 0;
      backoff.readyAtMs = nowMs + Math.min(backoffMaxMs, backoffFirstMs * 2 ** backoff.crashes);
      backoff.crashes += 1;
      this.#context.changed();
    }
  }

  async #start(container: ContainerRecord): Promise<void> {
    const { admission, clock, runtime } = this.#context;
    const pod = this.#pod;
    const backoff = this.#backoffOf(container);
    const problem = (reason: string, message: string): void => {
      container.state = { kind: 'waiting', reason, message };
      backoff.readyAtMs = clock.monotonicMs() + this.#context.syncMs;
      this.#context.changed();
    };
    const allowed = await beforeStart(admission, pod, container.spec);
    if (!admission.isAlive() || pod.terminating !== null || pod.removed) return;
    if (!allowed.ok) {
      problem('CreateContainerConfigError', allowed.problem);
      return;
    }
    const run: ContainerRun = {
      namespace: pod.spec.namespace,
      pod: pod.spec.name,
      uid: pod.uid,
      container: container.spec.name,
      attempt: container.starts,
      grant: admission.table.grantOf(pod.uid, container.spec.name),
    };
    const outcome = await runtime.start(run);
    if (outcome.kind === 'failed') {
      if (admission.isAlive()) problem('CreateContainerError', outcome.message);
      return;
    }
    // True even if the kubelet died meanwhile: the runtime has started it.
    container.run = run;
    container.starts += 1;
    container.state = { kind: 'running' };
    if (container.role === 'app') pod.phase = 'Running';
    backoff.startedAtMs = clock.monotonicMs();
    this.#context.willExit(pod, container, run);
    this.#context.changed();
  }

  // Containers before sidecars, as the kubelet does; then the final phase, and only then "known terminated".
  async #terminate(graceMs: number, phase: 'Succeeded' | 'Failed' | null): Promise<void> {
    const { admission, runtime } = this.#context;
    const order = [...this.#pod.containers].reverse();
    for (const container of order) {
      const { run } = container;
      if (run === null) continue;
      await runtime.stop(run, graceMs);
      if (container.run === run) {
        container.run = null;
        container.lastCode = 0;
      }
      if (!admission.isAlive()) return;
      container.state = { kind: 'terminated', code: container.lastCode };
    }
    const failed = order.some((one) => one.state.kind === 'terminated' && one.state.code !== 0);
    this.#pod.phase = phase ?? (failed ? 'Failed' : 'Succeeded');
    this.#context.terminated(this.#pod);
    this.#context.changed();
  }
}
