// RemoteKernel: KernelFs over the socket of a served kernel. Answers come as late as the kernel gives them; a lost
// connection is never taken for an answer: calls then settle with ECONNRESET, and the client stays closed.
import type { ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import { withDeadline, type Clock } from '../../base/clock.ts';
import type {
  CallOptions,
  ChangeHint,
  Errno,
  FolderLink,
  KernelFs,
  Outcome,
  ReadOptions,
  Settled,
} from '../fs.ts';
import { BatchWriter } from './batch-writer.ts';
import { openConnection, type Connection } from './connection.ts';
import {
  checked,
  kernelService,
  messages,
  type CallMessage,
  type ReplyMessage,
} from './protocol.ts';

const defaultDeadlineMs = 2000;
const answersPerTurn = 16;
/** Calls that may wait for their answers; bounds memory when a kernel hangs and the caller does not stop. */
const waitingMax = 65_536;
/** What calls settle with once the connection is gone. */
const lost: Errno = 'ECONNRESET';

type CallBody = CallMessage extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'id'>
    : never
  : never;
type Listener = (hint: ChangeHint) => void;

/** A served kernel. Made by connectKernel. */
export class RemoteKernel implements KernelFs {
  /** Name of the machine and the Linux it answers as, when the connection was made. */
  readonly machine: string;
  readonly profile: string;
  /** Resolves when the connection is gone, whoever ended it: with why. */
  readonly closed: Promise<string>;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #calls: ClientDuplexStream<unknown, unknown>;
  readonly #writer: BatchWriter<CallMessage>;
  readonly #waiting = new Map<number, (settled: Settled<unknown>) => void>();
  readonly #listeners = new Set<Listener>();
  #hints: ClientReadableStream<unknown> | null = null;
  /** Answers that have come and were not told yet. */
  #answers: ReplyMessage[] = [];
  #nextId = 0;
  #open = true;
  #tellClosed: (why: string) => void = () => undefined;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.machine = connection.machine;
    this.profile = connection.profile;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    const { path, requestSerialize, responseDeserialize } = kernelService.Calls;
    this.#calls = connection.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
    );
    this.#writer = new BatchWriter(this.#calls, (call) => call.path.length + 100);
    this.#calls.on('data', (batch: unknown) => this.#onReplies(batch));
    this.#calls.on('error', (problem: Error) => this.#end(problem.message));
    this.#calls.on('end', () => this.#end('the other side ended the stream'));
  }

  /** False once the connection is gone. */
  get isOpen(): boolean {
    return this.#open;
  }

  async read(path: string, options: ReadOptions = {}): Promise<Outcome<Uint8Array>> {
    const { firstBytes, linesWith } = options;
    return this.#call<Uint8Array>(
      {
        ...{ op: 'read', path },
        ...(firstBytes === undefined ? {} : { firstBytes }),
        ...(linesWith === undefined ? {} : { linesWith }),
      },
      options,
    );
  }

  async list(path: string, options: CallOptions = {}): Promise<Outcome<readonly string[]>> {
    return this.#call({ op: 'list', path }, options);
  }

  async readLink(path: string, options: CallOptions = {}): Promise<Outcome<string>> {
    return this.#call({ op: 'readLink', path }, options);
  }

  async readLinks(
    path: string,
    options: CallOptions = {},
  ): Promise<Outcome<readonly FolderLink[]>> {
    return this.#call({ op: 'readLinks', path }, options);
  }

  async write(path: string, data: string, options: CallOptions = {}): Promise<Outcome<number>> {
    return this.#call({ op: 'write', path, data }, options);
  }

  async exists(path: string, options: CallOptions = {}): Promise<Outcome<boolean>> {
    return this.#call({ op: 'exists', path }, options);
  }

  /** Hints of the served kernel; an overflow when watching begins, and one when the connection is lost. */
  changes(listener: Listener): { close(): void } {
    // A function given twice is two listeners.
    const own: Listener = (hint) => listener(hint);
    this.#listeners.add(own);
    if (this.#open) this.#watch();
    return {
      close: () => {
        this.#listeners.delete(own);
        if (this.#listeners.size > 0) return;
        this.#hints?.cancel();
        this.#hints = null;
      },
    };
  }

  /** Ends the connection; calls that wait settle with ECONNRESET. What they started goes on in the kernel. */
  close(): void {
    this.#end('closed here');
  }

  async #call<T>(body: CallBody, options: CallOptions): Promise<Outcome<T>> {
    if (!this.#open) return { kind: 'errno', errno: lost };
    if (this.#waiting.size >= waitingMax) return { kind: 'errno', errno: 'ENOBUFS' };
    const id = this.#nextId++;
    const settles = new Promise<Settled<T>>((resolve) => {
      this.#waiting.set(id, resolve as (settled: Settled<unknown>) => void);
    });
    this.#writer.post({ ...body, id });
    const deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    const waited = await withDeadline(this.#clock, deadlineMs, settles);
    return waited.kind === 'settled' ? waited.value : { kind: 'pending', settles: waited.settles };
  }

  #onReplies(batch: unknown): void {
    const replies = checked(messages.replies, batch);
    if (!replies.ok) {
      this.#end(`an answer that is not of the protocol: ${replies.problem}`);
      return;
    }
    const idle = this.#answers.length === 0;
    this.#answers.push(...replies.value);
    if (idle) this.#deliver();
  }

  /** Some answers in each turn of the loop: what goes on after hundreds at once would keep it from everybody else. */
  #deliver(): void {
    this.#tell(this.#answers.splice(0, answersPerTurn));
    if (this.#answers.length > 0) setImmediate(() => this.#deliver());
  }

  #tell(answers: readonly ReplyMessage[]): void {
    for (const answer of answers) {
      this.#waiting.get(answer.id)?.(settledOf(answer));
      this.#waiting.delete(answer.id);
    }
  }

  #watch(): void {
    if (this.#hints !== null) return;
    const { path, requestSerialize, responseDeserialize } = kernelService.Changes;
    const hints = this.#connection.client.makeServerStreamRequest<unknown, unknown>(
      path,
      requestSerialize,
      responseDeserialize,
      {},
    );
    this.#hints = hints;
    hints.on('data', (message: unknown) => {
      const hint = checked(messages.hint, message);
      if (hint.ok) this.#hint(hint.value);
      else this.#end(`a hint that is not of the protocol: ${hint.problem}`);
    });
    // Without its hints a client would go on in the belief that nothing changes.
    const ended = (why: string): void => {
      if (this.#hints === hints) this.#end(why);
    };
    hints.on('error', (problem: Error) => ended(problem.message));
    hints.on('end', () => ended('the other side ended the hints'));
  }

  #hint(hint: ChangeHint): void {
    for (const listener of [...this.#listeners]) listener(hint);
  }

  #end(why: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#writer.close();
    const hints = this.#hints;
    this.#hints = null;
    hints?.cancel();
    this.#calls.cancel();
    this.#connection.client.close();
    this.#tell(this.#answers.splice(0));
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const settle of waiting) settle({ kind: 'errno', errno: lost });
    this.#hint({ source: 'overflow', subject: null });
    this.#tellClosed(why);
  }
}

function settledOf(reply: ReplyMessage): Settled<unknown> {
  switch (reply.kind) {
    case 'errno':
      return { kind: 'errno', errno: reply.errno };
    case 'bytes':
      return { kind: 'value', value: new Uint8Array(Buffer.from(reply.bytes, 'base64')) };
    case 'names':
      return { kind: 'value', value: reply.names };
    case 'links':
      return { kind: 'value', value: linksOf(reply) };
    case 'text':
      return { kind: 'value', value: reply.text };
    case 'count':
      return { kind: 'value', value: reply.count };
    case 'answer':
      return { kind: 'value', value: reply.answer };
  }
}

function linksOf(reply: Extract<ReplyMessage, { kind: 'links' }>): readonly FolderLink[] {
  let failed = 0;
  return reply.names.map((name, at) => {
    const text = reply.links[at] ?? null;
    if (text !== null) return { name, link: { kind: 'value', value: text } };
    return { name, link: { kind: 'errno', errno: reply.errnos[failed++] ?? 'ENOENT' } };
  });
}

/**
 * Connects to the kernel served on a unix socket; `clock` (real time) keeps the deadlines. Throws CodedError
 * WG_KERNEL_UNREACHABLE. Reconnecting after a loss is the caller's business: only he knows what the calls that were lost meant.
 */
export async function connectKernel(
  socketPath: string,
  clock: Clock,
  withinMs = 0,
): Promise<RemoteKernel> {
  return new RemoteKernel(await openConnection(socketPath, clock, withinMs), clock);
}
