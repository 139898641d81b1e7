// A device plugin over its unix socket, dialled as the kubelet dials it: blocking, insecure, with the
// default limit of 4 MiB for what it receives.
import { join } from 'node:path';
import { credentials, type ClientReadableStream } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';
import type { ContainerGrant } from '../kubelet/door.ts';
import type { AllocateResponse__Output } from '../kubelet/gen/v1beta1/AllocateResponse.ts';
import type { DevicePluginClient } from '../kubelet/gen/v1beta1/DevicePlugin.ts';
import type { DevicePluginOptions__Output } from '../kubelet/gen/v1beta1/DevicePluginOptions.ts';
import type { ListAndWatchResponse__Output } from '../kubelet/gen/v1beta1/ListAndWatchResponse.ts';
import type { PreferredAllocationResponse__Output } from '../kubelet/gen/v1beta1/PreferredAllocationResponse.ts';
import type { PreStartContainerResponse__Output } from '../kubelet/gen/v1beta1/PreStartContainerResponse.ts';
import { statusCodes } from '../kubelet/reply.ts';
import { unaryCall, type CallOutcome } from '../kubelet/wire/call.ts';
import type { DevicePluginWire } from '../kubelet/wire/load.ts';
import { ownConnection, unixAddress } from '../kubelet/wire/socket.ts';
import type { PluginEndpoint, PreferenceQuestion, SeenDevice, SeenOptions } from './endpoint.ts';
import { seenDevices, seenGrants } from './wire.ts';

const receiveBytesMax = 4 * 1024 * 1024;

/** Dials `folder`/`endpoint` for at most `dialMs`; a text in the kubelet's words when nobody answers. */
export function dialPlugin(
  wire: DevicePluginWire,
  clock: Clock,
  path: { readonly folder: string; readonly endpoint: string },
  dialMs: number,
): Promise<PluginEndpoint | string> {
  const client = new wire.DevicePlugin(
    unixAddress(join(path.folder, path.endpoint)),
    credentials.createInsecure(),
    { ...ownConnection, 'grpc.max_receive_message_length': receiveBytesMax },
  );
  return new Promise((resolve) => {
    client.waitForReady(clock.wallMs() + dialMs, (problem) => {
      if (problem === undefined || problem === null) {
        resolve(new GrpcEndpoint(client, clock));
        return;
      }
      client.close();
      resolve(`failed to dial device plugin: context deadline exceeded (${path.endpoint})`);
    });
  });
}

class GrpcEndpoint implements PluginEndpoint {
  readonly #client: DevicePluginClient;
  readonly #clock: Clock;
  #stream: ClientReadableStream<ListAndWatchResponse__Output> | null = null;
  #closed = false;

  constructor(client: DevicePluginClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async getOptions(): Promise<CallOutcome<SeenOptions>> {
    const outcome = await unaryCall<DevicePluginOptions__Output>(null, (done) =>
      this.#client.GetDevicePluginOptions({}, done),
    );
    return mapped(outcome, (options) => ({
      preStartRequired: options.pre_start_required,
      preferredAllocationAvailable: options.get_preferred_allocation_available,
    }));
  }

  listAndWatch(
    onList: (devices: readonly SeenDevice[]) => void,
    onEnd: (why: string) => void,
  ): void {
    const stream = this.#client.ListAndWatch({});
    this.#stream = stream;
    let ended = false;
    const end = (why: string): void => {
      if (ended) return;
      ended = true;
      onEnd(why);
    };
    stream.on('data', (message: ListAndWatchResponse__Output) =>
      onList(seenDevices(message.devices)),
    );
    stream.on('error', (problem) => end(problem.message));
    stream.on('end', () => end('EOF'));
  }

  async getPreferredAllocation(
    question: PreferenceQuestion,
  ): Promise<CallOutcome<readonly string[]>> {
    const request = {
      container_requests: [
        {
          available_deviceIDs: [...question.available],
          must_include_deviceIDs: [...question.mustInclude],
          allocation_size: question.size,
        },
      ],
    };
    const outcome = await unaryCall<PreferredAllocationResponse__Output>(null, (done) =>
      this.#client.GetPreferredAllocation(request, done),
    );
    return mapped(outcome, (response) => response.container_responses[0]?.deviceIDs ?? []);
  }

  async allocate(ids: readonly string[]): Promise<CallOutcome<readonly ContainerGrant[]>> {
    const request = { container_requests: [{ devices_ids: [...ids] }] };
    const outcome = await unaryCall<AllocateResponse__Output>(null, (done) =>
      this.#client.Allocate(request, done),
    );
    return mapped(outcome, seenGrants);
  }

  async preStart(ids: readonly string[], deadlineMs: number): Promise<CallOutcome<null>> {
    const limit = { clock: this.#clock, deadlineMs };
    const outcome = await unaryCall<PreStartContainerResponse__Output>(limit, (done) =>
      this.#client.PreStartContainer({ devices_ids: [...ids] }, done),
    );
    if (outcome.kind === 'failed' && outcome.code === statusCodes.DEADLINE_EXCEEDED) {
      return { ...outcome, details: 'context deadline exceeded' };
    }
    return mapped(outcome, () => null);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream?.cancel();
    this.#client.close();
  }
}

function mapped<A, B>(outcome: CallOutcome<A>, map: (value: A) => B): CallOutcome<B> {
  return outcome.kind === 'ok' ? { kind: 'ok', value: map(outcome.value) } : outcome;
}
