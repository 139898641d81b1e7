// One resource's life with the kubelet: serve, register, notice that the kubelet restarted or lost us,
// and do it again. One loop and one pass; everything that happens outside only wakes it.
import type { Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { ResourceName } from '../../policy/policy.ts';
import { socketIncarnation } from '../wire/socket.ts';
import type { PluginOptions } from './options.ts';
import { PluginServer } from './plugin-server.ts';
import { registerOnce } from './register.ts';
import { kubeletSocket } from './sockets.ts';

/** How one resource stands with the kubelet. */
export interface ResourceState {
  readonly resource: ResourceName;
  /** Socket file name being served; null while none is. */
  readonly socket: string | null;
  /** The kubelet accepted our registration and listens to our list. */
  readonly registered: boolean;
  readonly openStreams: number;
  /** Why it is not registered, in words; null when nothing went wrong. */
  readonly problem: string | null;
}

/** Serves and registers one resource until stopped. */
export class ResourcePlugin {
  readonly resource: ResourceName;
  readonly #options: PluginOptions;
  #server: PluginServer | null = null;
  #registeredWith: string | null = null;
  #streamlessSinceMs = 0;
  #attempts = 0;
  #notBeforeMs = 0;
  #problem: string | null = null;
  #attemptedWith: string | null = null;
  readonly #stopping = new AbortController();
  #woken = false;
  #wake: (() => void) | null = null;
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: PluginOptions, resource: ResourceName) {
    this.#options = options;
    this.resource = resource;
  }

  /** Begins to serve and to register; returns at once. Call once. */
  start(): void {
    this.#running = this.#run();
  }

  /** Something may have changed: look again now. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** The offers changed: sends the list where it differs. */
  push(): void {
    this.#server?.push();
  }

  /** Ends the streams, closes the server and removes its socket. Resolves when that is done. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#running;
  }

  /** How it stands now. */
  state(): ResourceState {
    const openStreams = this.#server?.openStreams ?? 0;
    return {
      resource: this.resource,
      socket: this.#server?.name ?? null,
      registered: this.#registeredWith !== null && openStreams > 0,
      openStreams,
      problem: this.#problem,
    };
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#woken = false;
      let waitMs: number;
      try {
        waitMs = await this.#pass();
      } catch (problem) {
        const why = errorText(problem);
        if (this.#problem !== why) {
          this.#options.log.warn('kubelet-serve-failed', { resource: this.resource, why });
        }
        waitMs = this.#failed(why);
      }
      if (!this.#stopping.signal.aborted && !this.#woken) await this.#waitForWake(waitMs);
    }
    await this.#closeServer();
  }

  #waitForWake(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const proceed = (): void => {
        this.#timer?.clear();
        this.#wake = null;
        resolve();
      };
      this.#wake = proceed;
      this.#timer = this.#options.clock.after(waitMs, proceed);
    });
  }

  // Makes the state right by one look at the files; returns how long nothing has to be done by itself.
  async #pass(): Promise<number> {
    const { clock, timing, folder } = this.#options;
    const kubelet = await socketIncarnation(kubeletSocket(folder));
    // What failed with one kubelet is no reason to keep the next one waiting.
    if (kubelet !== this.#attemptedWith) {
      this.#attemptedWith = kubelet;
      this.#notBeforeMs = 0;
      this.#attempts = 0;
    }
    const reason = await this.#reasonToReopen(kubelet);
    if (reason !== null) {
      this.#options.log.info('kubelet-reopening', { resource: this.resource, reason });
      await this.#closeServer();
    }
    if (this.#server === null) {
      const waitMs = this.#notBeforeMs - clock.monotonicMs();
      if (this.#attempts > 0 && waitMs > 0) return waitMs;
      this.#server = await PluginServer.open(this.#options, this.resource, () => this.#counted());
    }
    if (this.#stopping.signal.aborted || kubelet === null || this.#registeredWith !== null)
      return timing.pollMs;
    const waitMs = this.#notBeforeMs - clock.monotonicMs();
    return waitMs > 0 ? waitMs : this.#register(this.#server, kubelet);
  }

  async #reasonToReopen(kubelet: string | null): Promise<string | null> {
    const server = this.#server;
    if (server === null) return null;
    if (!(await server.isInPlace())) return 'our socket was removed';
    if (this.#registeredWith === null) {
      // An attempt that failed for us may have succeeded for the kubelet: its stream ends before the next one.
      return this.#attempts > 0 && server.openStreams > 0
        ? 'a failed registration left a stream'
        : null;
    }
    if (kubelet === null) return null;
    if (kubelet !== this.#registeredWith) return 'kubelet.sock is new';
    const streamlessMs = this.#options.clock.monotonicMs() - this.#streamlessSinceMs;
    if (server.openStreams === 0 && streamlessMs >= this.#options.timing.streamlessMs) {
      return `no ListAndWatch stream for ${Math.round(streamlessMs)} ms`;
    }
    return null;
  }

  async #register(server: PluginServer, kubelet: string): Promise<number> {
    const { clock, log, metrics, timing } = this.#options;
    const outcome = await registerOnce(
      this.#options,
      this.resource,
      server.name,
      this.#stopping.signal,
    );
    if (outcome.kind === 'failed') {
      metrics.registration(this.resource, 'failed');
      const { why } = outcome;
      if (this.#problem !== why) {
        log.warn('kubelet-register-failed', { resource: this.resource, why });
      }
      return this.#failed(why);
    }
    metrics.registration(this.resource, 'registered');
    log.info('kubelet-registered', { resource: this.resource, socket: server.name });
    this.#registeredWith = kubelet;
    this.#streamlessSinceMs = clock.monotonicMs();
    this.#attempts = 0;
    this.#problem = null;
    return timing.pollMs;
  }

  // Counts a failure and returns the time until the next attempt: doubled each time, and spread, so that
  // many plugins do not meet a starting kubelet in step.
  #failed(why: string): number {
    const { clock, random, timing } = this.#options;
    const ceilingMs = Math.min(timing.backoffMaxMs, timing.backoffFirstMs * 2 ** this.#attempts);
    const waitMs = ceilingMs * (0.5 + random.next() / 2);
    this.#attempts += 1;
    this.#notBeforeMs = clock.monotonicMs() + waitMs;
    this.#problem = why;
    return waitMs;
  }

  #counted(): void {
    if (this.#server?.openStreams === 0) {
      this.#streamlessSinceMs = this.#options.clock.monotonicMs();
    }
    this.wake();
  }

  async #closeServer(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    const hadStreams = server.openStreams > 0;
    this.#server = null;
    this.#registeredWith = null;
    await server.close();
    const { clock, timing } = this.#options;
    if (hadStreams) this.#notBeforeMs = clock.monotonicMs() + timing.settleMs;
  }
}
