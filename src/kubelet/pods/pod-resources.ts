// The client of the kubelet's pod resources service: who holds which device. It says what the kubelet
// said, or that it could not be asked; it never concludes anything from silence.
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { ResourceName } from '../../policy/policy.ts';
import type { ListPodResourcesResponse__Output } from '../gen/v1/ListPodResourcesResponse.ts';
import type { PodResourcesListerClient } from '../gen/v1/PodResourcesLister.ts';
import { defaultQuestionRates, HolderQuestions, type QuestionRates } from '../holder-questions.ts';
import type { DeviceHolder, HolderSource, HoldersAnswer } from '../pods.ts';
import { outcomeText, unaryCall } from '../wire/call.ts';
import type { PodResourcesWire } from '../wire/load.ts';
import { ownConnection, socketIncarnation, unixAddress } from '../wire/socket.ts';

/** What the client depends on. */
export interface PodResourcesOptions {
  /** The kubelet's folder (`/var/lib/kubelet/pod-resources`). */
  readonly folder: string;
  readonly wire: PodResourcesWire;
  readonly clock: Clock;
  /** How often the kubelet is asked. */
  readonly rates: QuestionRates;
  readonly deadlineMs: number;
}

/** Rates and deadline in use. */
export const podResourcesTiming = { rates: defaultQuestionRates, deadlineMs: 5000 } as const;

// The kubelet sends without a limit; 4 MiB, the default of gRPC, is reached by a large node's CPU lists.
const receiveBytesMax = 64 * 1024 * 1024;

/** Holders by PodResources v1 List. Holds one connection while one kubelet answers. */
export class PodResourcesClient implements HolderSource {
  readonly #options: PodResourcesOptions;
  readonly #path: string;
  readonly #closed = new AbortController();
  readonly #questions: HolderQuestions;
  #connection: { readonly incarnation: string; readonly client: PodResourcesListerClient } | null =
    null;
  #kubelet: { readonly incarnation: string; readonly firstSeenMs: number } | null = null;

  constructor(options: PodResourcesOptions) {
    this.#options = options;
    this.#path = join(options.folder, 'kubelet.sock');
    this.#questions = new HolderQuestions({
      rates: options.rates,
      clock: options.clock,
      signal: this.#closed.signal,
      ask: (askedAtMs) =>
        this.#ask(askedAtMs).catch((problem: unknown) => unreachable(errorText(problem))),
    });
  }

  /**
   * Asks the kubelet. Callers that wait at the same time share one answer; none gets an answer to a question asked
   * before its call. Never rejects.
   */
  list(options?: { readonly fresh?: boolean }): Promise<HoldersAnswer> {
    return this.#questions.list(options);
  }

  /** Ends the connection; later calls answer `unreachable`. Idempotent. */
  close(): void {
    this.#closed.abort();
    this.#disconnect();
  }

  async #ask(askedAtMs: number): Promise<HoldersAnswer> {
    const { clock, deadlineMs } = this.#options;
    if (this.#closed.signal.aborted) return unreachable('the agent is stopping');
    const incarnation = await socketIncarnation(this.#path);
    if (incarnation === null) {
      this.#disconnect();
      return unreachable(`${this.#path} is not there`);
    }
    if (this.#kubelet?.incarnation !== incarnation) {
      this.#kubelet = { incarnation, firstSeenMs: askedAtMs };
    }
    const client = this.#connect(incarnation);
    const limit = { clock, deadlineMs, signal: this.#closed.signal };
    const outcome = await unaryCall<ListPodResourcesResponse__Output>(limit, (done) =>
      client.List({}, done),
    );
    if (outcome.kind === 'failed') {
      // A channel that failed dials again only after a back-off of its own: the next question gets a new one.
      this.#disconnect();
      return unreachable(outcomeText(outcome));
    }
    if ((await socketIncarnation(this.#path)) !== incarnation) {
      return unreachable('the kubelet restarted while it was asked');
    }
    return {
      kind: 'holders',
      holders: holdersIn(outcome.value),
      askedAtMs,
      kubeletIncarnation: incarnation,
      kubeletUpMs: askedAtMs - this.#kubelet.firstSeenMs,
    };
  }

  #connect(incarnation: string): PodResourcesListerClient {
    if (this.#connection?.incarnation === incarnation) return this.#connection.client;
    this.#disconnect();
    const client = new this.#options.wire.PodResourcesLister(
      unixAddress(this.#path),
      credentials.createInsecure(),
      { ...ownConnection, 'grpc.max_receive_message_length': receiveBytesMax },
    );
    this.#connection = { incarnation, client };
    return client;
  }

  #disconnect(): void {
    this.#connection?.client.close();
    this.#connection = null;
  }
}

function unreachable(why: string): HoldersAnswer {
  return { kind: 'unreachable', why };
}

/**
 * The holders in an answer: one for each pod, container and resource, in the answer's order. The kubelet
 * repeats a resource for every NUMA node, and a device on two nodes in both; here each ID comes once.
 */
export function holdersIn(response: ListPodResourcesResponse__Output): readonly DeviceHolder[] {
  const holders: DeviceHolder[] = [];
  for (const pod of response.pod_resources) {
    for (const container of pod.containers) {
      const byResource = new Map<string, Set<string>>();
      for (const { resource_name, device_ids } of container.devices) {
        const ids = byResource.get(resource_name) ?? new Set<string>();
        for (const id of device_ids) ids.add(id);
        byResource.set(resource_name, ids);
      }
      for (const [resource, ids] of byResource) {
        holders.push({
          namespace: pod.namespace,
          pod: pod.name,
          container: container.name,
          // The kubelet holds valid names only; those of other plugins are compared and never used.
          resource: resource as ResourceName,
          deviceIds: [...ids].sort(),
        });
      }
    }
  }
  return holders;
}
