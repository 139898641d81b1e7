// serveKernel: a simulated machine as a process of its own, on a unix socket. Agents come and go, are killed and
// come back; the machine stays, with everything they left in it. The protocol is in remote/protocol.ts.
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { CodedError, errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { probeSocket } from '../remote/connection.ts';
import {
  controlService,
  kernelService,
  messageBytesMax,
  protocolVersion,
} from '../remote/protocol.ts';
import type { KernelModel } from './kernel-model.ts';
import { serveCalls, serveChanges } from './serve-calls.ts';
import { controlHandlers } from './serve-control.ts';
import { DeviceNodes } from './serve-nodes.ts';

/** What is served, and where. */
export interface ServeSetup {
  /** Made on a real-time clock: over a socket nobody moves a virtual one. */
  readonly model: KernelModel;
  /** Absolute path, at most 107 bytes (sun_path). */
  readonly socketPath: string;
  /** Folder that stands for /dev: gets stand-ins of the VFIO nodes. Absent: none are made. */
  readonly deviceRoot?: string;
  readonly log: Log;
}

/** A machine that is served. */
export interface ServedKernel {
  readonly socketPath: string;
  /** Ends all connections, removes the socket and the stand-ins. The model itself is left as it is. */
  close(): Promise<void>;
}

const socketPathBytesMax = 107;

function listenFailed(socketPath: string, why: string, cause?: unknown): CodedError {
  return new CodedError('WG_LISTEN_FAILED', `unix://${socketPath}: ${why}`, { cause });
}

/** Makes place for the socket: a socket that nobody listens on is removed, nothing else ever is. */
async function clearPlace(socketPath: string): Promise<void> {
  if (!socketPath.startsWith('/')) throw listenFailed(socketPath, 'must be an absolute path');
  if (Buffer.byteLength(socketPath) > socketPathBytesMax) {
    throw listenFailed(socketPath, `must have at most ${socketPathBytesMax} bytes`);
  }
  try {
    await mkdir(dirname(socketPath), { recursive: true });
  } catch (problem) {
    throw listenFailed(socketPath, errorText(problem), problem);
  }
  const there = await lstat(socketPath).catch(() => null);
  if (there === null) return;
  if (!there.isSocket()) throw listenFailed(socketPath, 'something that is no socket is there');
  const answered = await probeSocket(socketPath).then(
    () => true,
    () => false,
  );
  if (answered) throw listenFailed(socketPath, 'another process is listening there');
  await rm(socketPath, { force: true });
}

function bind(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (problem) => {
      if (problem === null) resolve();
      else reject(listenFailed(socketPath, errorText(problem), problem));
    });
  });
}

/**
 * Serves a model: KernelFs and the control service, for any number of clients. Resolves when it listens; throws
 * CodedError WG_LISTEN_FAILED when it cannot.
 */
export async function serveKernel(setup: ServeSetup): Promise<ServedKernel> {
  const { model, socketPath, deviceRoot, log } = setup;
  await clearPlace(socketPath);
  const nodes =
    deviceRoot === undefined ? null : new DeviceNodes({ kernel: model, root: deviceRoot, log });
  const follow = (): void => void nodes?.sync();
  const server = new Server({
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
  });
  server.addService(kernelService, {
    Hello: (_call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>): void => {
      const { name, profile } = model.machine.spec;
      done(null, { protocol: protocolVersion, machine: name, profile });
    },
    Calls: (stream: ServerDuplexStream<unknown, unknown>): void => serveCalls(model, stream),
    Changes: (stream: ServerWritableStream<unknown, unknown>): void => serveChanges(model, stream),
  });
  server.addService(controlService, controlHandlers({ model, faults: new Map() }, log, follow));
  await bind(server, socketPath);
  // Whoever may connect owns the machine.
  await chmod(socketPath, 0o600);
  const watching = model.changes(follow);
  await nodes?.sync();
  log.info('sim-listening', { socket: socketPath, machine: model.machine.spec.name });
  return {
    socketPath,
    close: async () => {
      watching.close();
      server.forceShutdown();
      await nodes?.clear();
      await rm(socketPath, { force: true });
    },
  };
}
