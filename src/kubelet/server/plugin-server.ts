// One incarnation of one resource's server: its socket file, its gRPC server, its streams. It is opened
// once and closed once; whoever needs another incarnation opens another one under another name.
import { access, constants, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, status, type handleUnaryCall } from '@grpc/grpc-js';
import { sleep } from '../../base/clock.ts';
import { CodedError } from '../../base/errors.ts';
import type { ResourceName } from '../../policy/policy.ts';
import { deviceList, type ListedDevice } from '../device-list.ts';
import type { DevicePluginHandlers } from '../gen/v1beta1/DevicePlugin.ts';
import { answered, replyOk, type Reply } from '../reply.ts';
import {
  answerAllocate,
  answerPreferredAllocation,
  answerPreStart,
  pluginOptions,
  type RequestContext,
} from '../requests.ts';
import { socketIncarnation, socketPathProblem, unixAddress } from '../wire/socket.ts';
import { ListStreams } from './list-streams.ts';
import type { PluginOptions } from './options.ts';
import { freshSocketName } from './sockets.ts';

// The kubelet's own limit in the other direction, and the default of gRPC; named so that it is ours.
const receiveBytesMax = 4 * 1024 * 1024;

/** A serving device plugin of one resource. */
export class PluginServer {
  /** File name in the kubelet's folder: the `endpoint` of a registration. */
  readonly name: string;
  readonly #options: PluginOptions;
  readonly #path: string;
  readonly #server: Server;
  readonly #streams: ListStreams;
  #incarnation: string | null = null;

  private constructor(options: PluginOptions, resource: ResourceName, streamsChanged: () => void) {
    this.name = freshSocketName(resource, options.random);
    this.#options = options;
    this.#path = join(options.folder, this.name);
    const context: RequestContext = {
      door: options.door,
      resource,
      clock: options.clock,
      log: options.log,
      limits: options.limits,
    };
    this.#streams = new ListStreams(() => safeList(context), {
      counted: (count) => {
        options.metrics.openStreams(resource, count);
        streamsChanged();
      },
      sent: () => options.metrics.listSent(resource),
    });
    this.#server = new Server({ 'grpc.max_receive_message_length': receiveBytesMax });
    this.#server.addService(
      options.wire.DevicePlugin.service,
      handlers(context, options, this.#streams),
    );
  }

  /** Binds a fresh socket and serves. Throws WG_KUBELET_SOCKET_FAILED. `streamsChanged` is told of opened and lost streams. */
  static async open(
    options: PluginOptions,
    resource: ResourceName,
    streamsChanged: () => void,
  ): Promise<PluginServer> {
    const server = new PluginServer(options, resource, streamsChanged);
    await server.#bind();
    return server;
  }

  /** Open ListAndWatch streams. */
  get openStreams(): number {
    return this.#streams.count;
  }

  /** False when our socket file is gone or is not ours any more: the kubelet wipes its folder at start. */
  async isInPlace(): Promise<boolean> {
    return (await socketIncarnation(this.#path)) === this.#incarnation;
  }

  /** Sends the list to every stream that has not seen it. */
  push(): void {
    this.#streams.push();
  }

  /**
   * Ends the streams, lets running calls finish for drainMs, and leaves no socket file. Must be awaited
   * before another server opens. Never rejects.
   */
  async close(): Promise<void> {
    this.#streams.endAll();
    const drained = new Promise<boolean>((resolve) => {
      this.#server.tryShutdown(() => resolve(true));
    });
    const patience = new AbortController();
    const late = sleep(this.#options.clock, this.#options.timing.drainMs, patience.signal);
    await Promise.race([drained, late]);
    patience.abort();
    this.#server.forceShutdown();
    await unlink(this.#path).catch(() => undefined);
  }

  async #bind(): Promise<void> {
    const problem = socketPathProblem('--kubelet-dir', this.#path);
    if (problem !== null) throw new CodedError('WG_KUBELET_SOCKET_FAILED', problem);
    // Looked at first because grpc-js writes to stderr when it cannot bind.
    await access(this.#options.folder, constants.W_OK).catch((cause: Error) => {
      throw bindFailed(this.#path, cause);
    });
    const address = unixAddress(this.#path);
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (cause) => {
        if (cause === null) resolve();
        else reject(bindFailed(this.#path, cause));
      });
    });
    this.#incarnation = await socketIncarnation(this.#path);
    if (this.#incarnation !== null) return;
    await this.close();
    throw new CodedError(
      'WG_KUBELET_SOCKET_FAILED',
      `${this.#path} was removed as soon as it was there (a kubelet that starts empties its folder)`,
    );
  }
}

function bindFailed(path: string, cause: Error): CodedError {
  return new CodedError(
    'WG_KUBELET_SOCKET_FAILED',
    `cannot serve ${path}: ${cause.message} (is the folder there and writable?)`,
    { cause },
  );
}

// A door that throws must not take a stream down: every device of the resource would turn unhealthy.
function safeList(context: RequestContext): readonly ListedDevice[] {
  try {
    return deviceList(context.door.offers(), context.resource);
  } catch (thrown) {
    context.log.error('kubelet-offers-threw', { resource: context.resource, thrown });
    return [];
  }
}

function handlers(
  context: RequestContext,
  options: PluginOptions,
  streams: ListStreams,
): DevicePluginHandlers {
  const { metrics, clock } = options;
  const { resource } = context;
  const timed = async <Value>(
    work: () => Promise<Reply<Value>>,
    done: (seconds: number, ok: boolean) => void,
  ): Promise<Reply<Value>> => {
    const startMs = clock.monotonicMs();
    const reply = await work();
    done((clock.monotonicMs() - startMs) / 1000, reply.kind === 'ok');
    return reply;
  };
  return {
    GetDevicePluginOptions: unary(context, () => Promise.resolve(replyOk(pluginOptions))),
    ListAndWatch: (call) => streams.add(call),
    GetPreferredAllocation: unary(context, (request) =>
      answerPreferredAllocation(context, request),
    ),
    Allocate: unary(context, (request) =>
      timed(
        () => answerAllocate(context, request),
        (seconds, ok) => metrics.allocated(resource, seconds, ok ? 'granted' : 'refused'),
      ),
    ),
    PreStartContainer: unary(context, (request) =>
      timed(
        () => answerPreStart(context, request),
        (seconds, ok) => metrics.preStarted(resource, seconds, ok ? 'ready' : 'refused'),
      ),
    ),
  };
}

function unary<Request, Response>(
  context: RequestContext,
  answer: (request: Request) => Promise<Reply<Response>>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void answered(context.log, call.getPath(), () => answer(call.request)).then((reply) => {
      if (reply.kind === 'ok') callback(null, reply.value);
      else callback({ code: status[reply.status], details: reply.message });
      return undefined;
    });
  };
}
