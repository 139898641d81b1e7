// Opens the socket of a served kernel and makes sure that both sides speak the same protocol.
import { connect } from 'node:net';
import {
  credentials,
  makeGenericClientConstructor,
  type Client,
  type ServiceError,
} from '@grpc/grpc-js';
import { sleep, withDeadline, type Clock } from '../../base/clock.ts';
import { CodedError, errorText } from '../../base/errors.ts';
import { checked, kernelService, messageBytesMax, messages, protocolVersion } from './protocol.ts';

/** Milliseconds for the connection and the greeting. */
const openMs = 5000;
const probeAgainMs = 100;

/** The machine at the other end. */
export interface ServedMachine {
  readonly machine: string;
  readonly profile: string;
}

/** An open connection: a client whose calls go to the socket, and what is served there. */
export interface Connection extends ServedMachine {
  readonly client: Client;
  readonly socketPath: string;
}

/** Resolves when something accepts connections at `socketPath`; rejects with the errno of connect(2). */
export function probeSocket(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

/** A unary call of the served kernel or its control service. */
export function unary(
  client: Client,
  method: {
    readonly path: string;
    requestSerialize(m: unknown): Buffer;
    responseDeserialize(b: Buffer): unknown;
  },
  message: unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (problem: ServiceError | null, answer?: unknown): void => {
      if (problem === null) resolve(answer);
      else reject(problem);
    };
    client.makeUnaryRequest(
      method.path,
      (value: unknown) => method.requestSerialize(value),
      (bytes: Buffer) => method.responseDeserialize(bytes),
      message,
      done,
    );
  });
}

const KernelClient = makeGenericClientConstructor(kernelService, 'wholegroup.sim.v1.Kernel');

/** Like probeSocket, again and again until `withinMs` have passed: whoever serves may be starting. */
async function awaitSocket(socketPath: string, clock: Clock, withinMs: number): Promise<void> {
  const endMs = clock.monotonicMs() + withinMs;
  for (;;) {
    try {
      return await probeSocket(socketPath);
    } catch (problem) {
      if (clock.monotonicMs() >= endMs) throw problem;
      await sleep(clock, probeAgainMs);
    }
  }
}

/**
 * Connects to the kernel served on a unix socket. Throws CodedError WG_KERNEL_UNREACHABLE when nobody listens
 * there (for `withinMs`), nobody answers within 5 s, or another protocol is spoken.
 */
export async function openConnection(
  socketPath: string,
  clock: Clock,
  withinMs = 0,
): Promise<Connection> {
  const unreachable = (why: string, cause?: unknown): CodedError =>
    new CodedError('WG_KERNEL_UNREACHABLE', `unix://${socketPath}: ${why}`, { cause });
  try {
    await awaitSocket(socketPath, clock, withinMs);
  } catch (problem) {
    throw unreachable(errorText(problem), problem);
  }
  const client = new KernelClient(`unix:${socketPath}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  try {
    const greeting = unary(client, kernelService.Hello, { protocol: protocolVersion });
    const answer = await withDeadline(clock, openMs, greeting);
    if (answer.kind === 'late') {
      // Closing the client makes the call fail; nobody waits for it any more.
      answer.settles.catch(() => undefined);
      throw unreachable(`no answer within ${openMs} ms`);
    }
    const welcome = checked(messages.welcome, answer.value);
    if (!welcome.ok) throw unreachable(`is no served kernel (${welcome.problem})`);
    const { protocol, machine, profile } = welcome.value;
    if (protocol !== protocolVersion) {
      throw unreachable(`speaks protocol ${protocol}, this is ${protocolVersion}`);
    }
    return { client, socketPath, machine, profile };
  } catch (problem) {
    client.close();
    throw problem instanceof CodedError ? problem : unreachable(errorText(problem), problem);
  }
}
