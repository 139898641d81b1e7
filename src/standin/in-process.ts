// The agent's front door without sockets: the stand-in calls the very functions that the gRPC server
// calls, on whatever clock there is. For the seeded simulation, where killing an agent is `stop`.
import type { Timer } from '../base/clock.ts';
import { assert } from '../base/assert.ts';
import type { ContainerGrant } from '../kubelet/door.ts';
import { deviceList, listDigest } from '../kubelet/device-list.ts';
import { statusCodes, type Reply } from '../kubelet/reply.ts';
import {
  answerAllocate,
  answerPreferredAllocation,
  answerPreStart,
  pluginOptions,
  type RequestContext,
} from '../kubelet/requests.ts';
import type { CallOutcome } from '../kubelet/wire/call.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { PluginEndpoint, PreferenceQuestion, SeenDevice, SeenOptions } from './endpoint.ts';
import type { StandinKubelet } from './kubelet.ts';
import { seenDevices, seenGrants } from './wire.ts';

function outcomeOf<A, B>(reply: Reply<A>, map: (value: A) => B): CallOutcome<B> {
  if (reply.kind === 'ok') return { kind: 'ok', value: map(reply.value) };
  return { kind: 'failed', code: statusCodes[reply.status], details: reply.message };
}

/** A connection straight to the door. When it is closed, calls that run fail as on a broken connection. */
export class InProcessEndpoint implements PluginEndpoint {
  readonly #context: RequestContext;
  readonly #broken: Promise<CallOutcome<never>>;
  #break: (outcome: CallOutcome<never>) => void = () => undefined;
  #end: ((why: string) => void) | null = null;
  #watch: { close(): void } | null = null;
  #closed = false;

  constructor(context: RequestContext) {
    this.#context = context;
    this.#broken = new Promise((resolve) => {
      this.#break = resolve;
    });
  }

  getOptions(): Promise<CallOutcome<SeenOptions>> {
    return this.#call(() =>
      Promise.resolve({
        kind: 'ok',
        value: {
          preStartRequired: pluginOptions.pre_start_required,
          preferredAllocationAvailable: pluginOptions.get_preferred_allocation_available,
        },
      }),
    );
  }

  listAndWatch(
    onList: (devices: readonly SeenDevice[]) => void,
    onEnd: (why: string) => void,
  ): void {
    assert(this.#end === null, 'one ListAndWatch on a connection');
    if (this.#closed) {
      onEnd('the connection is closed');
      return;
    }
    this.#end = onEnd;
    const { door, resource } = this.#context;
    let sent: string | null = null;
    const push = (): void => {
      const devices = deviceList(door.offers(), resource);
      const digest = listDigest(devices);
      if (this.#closed || digest === sent) return;
      sent = digest;
      onList(seenDevices(devices));
    };
    this.#watch = door.onOffersChanged(push);
    push();
  }

  getPreferredAllocation(question: PreferenceQuestion): Promise<CallOutcome<readonly string[]>> {
    const request = {
      container_requests: [
        {
          available_deviceIDs: [...question.available],
          must_include_deviceIDs: [...question.mustInclude],
          allocation_size: question.size,
        },
      ],
    };
    return this.#call(async () =>
      outcomeOf(
        await answerPreferredAllocation(this.#context, request),
        (value) => value.container_responses?.[0]?.deviceIDs ?? [],
      ),
    );
  }

  allocate(ids: readonly string[]): Promise<CallOutcome<readonly ContainerGrant[]>> {
    const request = { container_requests: [{ devices_ids: [...ids] }] };
    return this.#call(async () =>
      outcomeOf(await answerAllocate(this.#context, request), seenGrants),
    );
  }

  async preStart(ids: readonly string[], deadlineMs: number): Promise<CallOutcome<null>> {
    let timer: Timer | null = null;
    const late = new Promise<CallOutcome<null>>((resolve) => {
      timer = this.#context.clock.after(deadlineMs, () =>
        resolve({
          kind: 'failed',
          code: statusCodes.DEADLINE_EXCEEDED,
          details: 'context deadline exceeded',
        }),
      );
    });
    const request = { devices_ids: [...ids] };
    const answer = this.#call(async () =>
      outcomeOf(await answerPreStart(this.#context, request), () => null),
    );
    const outcome = await Promise.race([answer, late]);
    (timer as Timer | null)?.clear();
    return outcome;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch?.close();
    this.#break({
      kind: 'failed',
      code: statusCodes.UNAVAILABLE,
      details: 'error reading from server: EOF',
    });
    const end = this.#end;
    this.#end = null;
    end?.('the connection is closed');
  }

  #call<Value>(work: () => Promise<CallOutcome<Value>>): Promise<CallOutcome<Value>> {
    if (this.#closed) return this.#broken;
    return Promise.race([work(), this.#broken]);
  }
}

/** What the in-process front door is made of. */
export interface InProcessOptions extends Omit<RequestContext, 'resource'> {
  readonly kubelet: StandinKubelet;
  /** From a kubelet's start, or a new resource, to the registration. */
  readonly registerAfterMs: number;
  /** Without a stream for this long: register again. */
  readonly streamlessMs: number;
}

interface Joined {
  readonly incarnation: number;
  readonly endpoint: InProcessEndpoint;
  /** Its stream ended, or the kubelet refused it: a timer brings it back. */
  lost: boolean;
}

/** Registers every offered resource with the stand-in, and again when a kubelet starts or drops it. */
export class InProcessPlugins {
  readonly #options: InProcessOptions;
  readonly #endpoints = new Map<ResourceName, Joined>();
  readonly #timers = new Map<ResourceName, { readonly timer: Timer; readonly dueMs: number }>();
  #watches: { close(): void }[] = [];
  #stopped = false;

  constructor(options: InProcessOptions) {
    this.#options = options;
  }

  /** Registers, and keeps it so until stop. */
  start(): void {
    const { door, kubelet } = this.#options;
    this.#watches = [
      door.onOffersChanged(() => this.#follow()),
      kubelet.onChange(() => this.#follow()),
    ];
    this.#follow();
  }

  /** Every connection breaks, as when the agent stops or is killed. Idempotent. */
  stop(): void {
    this.#stopped = true;
    for (const watch of this.#watches) watch.close();
    for (const { timer } of this.#timers.values()) timer.clear();
    for (const { endpoint } of this.#endpoints.values()) endpoint.close();
    this.#endpoints.clear();
  }

  /** Resources that are registered with the kubelet that runs now. */
  registered(): readonly ResourceName[] {
    const { kubelet } = this.#options;
    return [...this.#endpoints]
      .filter(([, one]) => !one.lost && kubelet.isUp && one.incarnation === kubelet.incarnation)
      .map(([resource]) => resource);
  }

  #follow(): void {
    const { door, kubelet } = this.#options;
    if (this.#stopped || !kubelet.isUp) return;
    for (const resource of door.offers().keys()) {
      const current = this.#endpoints.get(resource);
      if (current?.incarnation === kubelet.incarnation) continue;
      this.#later(resource, this.#options.registerAfterMs);
    }
  }

  // The earlier of two reasons counts: a kubelet that starts does not wait for the watchdog.
  #later(resource: ResourceName, delayMs: number): void {
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    const set = this.#timers.get(resource);
    if (this.#stopped || (set !== undefined && set.dueMs <= dueMs)) return;
    set?.timer.clear();
    const timer = clock.after(delayMs, () => {
      this.#timers.delete(resource);
      void this.#register(resource);
    });
    this.#timers.set(resource, { timer, dueMs });
  }

  async #register(resource: ResourceName): Promise<void> {
    const { kubelet, streamlessMs } = this.#options;
    if (this.#stopped || !kubelet.isUp) return;
    this.#endpoints.get(resource)?.endpoint.close();
    const joined: Joined = {
      incarnation: kubelet.incarnation,
      endpoint: new InProcessEndpoint({ ...this.#options, resource }),
      lost: false,
    };
    this.#endpoints.set(resource, joined);
    const lose = (delayMs: number): void => {
      if (this.#endpoints.get(resource) !== joined || joined.lost) return;
      joined.lost = true;
      this.#later(resource, delayMs);
    };
    const request = { version: 'v1beta1', endpoint: 'in-process', resource };
    const plugin = watched(joined.endpoint, () => lose(streamlessMs));
    const answer = await kubelet.register(request, () => Promise.resolve(plugin));
    if (answer.kind === 'refused') lose(1000);
  }
}

// The same connection, with one more ear at the end of its stream.
function watched(endpoint: InProcessEndpoint, ended: () => void): PluginEndpoint {
  return {
    getOptions: () => endpoint.getOptions(),
    listAndWatch: (onList, onEnd) =>
      endpoint.listAndWatch(onList, (why) => {
        onEnd(why);
        ended();
      }),
    getPreferredAllocation: (question) => endpoint.getPreferredAllocation(question),
    allocate: (ids) => endpoint.allocate(ids),
    preStart: (ids, deadlineMs) => endpoint.preStart(ids, deadlineMs),
    close: () => endpoint.close(),
  };
}
