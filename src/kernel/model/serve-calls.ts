// The server's side of file calls and hints: every call of a batch is made at once, each answer goes back when
// the kernel has it. What a client that went away had started goes on.
import { status, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import { BatchWriter } from '../remote/batch-writer.ts';
import { checked, messages, type CallMessage, type ReplyMessage } from '../remote/protocol.ts';
import type { FolderLink, KernelFs, Outcome, Settled } from '../fs.ts';

/**
 * Deadline of calls inside the served kernel. The client keeps the time; here a call only has to become
 * pending soon, so that no timer outlives it. Its late answer is what goes back.
 */
const insideMs = 1;

async function settled<T>(call: Promise<Outcome<T>>): Promise<Settled<T>> {
  const outcome = await call;
  return outcome.kind === 'pending' ? outcome.settles : outcome;
}

/** Makes one call and waits for its answer, however long. */
async function answer(kernel: KernelFs, call: CallMessage): Promise<ReplyMessage> {
  const { id, path } = call;
  const options = { deadlineMs: insideMs };
  const reply = <T>(got: Settled<T>, of: (value: T) => ReplyMessage): ReplyMessage =>
    got.kind === 'errno' ? { id, kind: 'errno', errno: got.errno } : of(got.value);
  switch (call.op) {
    case 'read': {
      const { firstBytes, linesWith } = call;
      const got = await settled(
        kernel.read(path, {
          ...options,
          ...(firstBytes === undefined ? {} : { firstBytes }),
          ...(linesWith === undefined ? {} : { linesWith }),
        }),
      );
      return reply(got, (bytes) => ({
        ...{ id, kind: 'bytes' },
        bytes: Buffer.from(bytes).toString('base64'),
      }));
    }
    case 'list': {
      const got = await settled(kernel.list(path, options));
      return reply(got, (names) => ({ id, kind: 'names', names: [...names] }));
    }
    case 'readLink': {
      const got = await settled(kernel.readLink(path, options));
      return reply(got, (text) => ({ id, kind: 'text', text }));
    }
    case 'readLinks': {
      const got = await settled(kernel.readLinks(path, options));
      return reply(got, (links) => linksReply(id, links));
    }
    case 'exists': {
      const got = await settled(kernel.exists(path, options));
      return reply(got, (there) => ({ id, kind: 'answer', answer: there }));
    }
    case 'write': {
      const got = await settled(kernel.write(path, call.data, options));
      return reply(got, (count) => ({ id, kind: 'count', count }));
    }
  }
}

function linksReply(id: number, links: readonly FolderLink[]): ReplyMessage {
  return {
    ...{ id, kind: 'links' },
    names: links.map(({ name }) => name),
    links: links.map(({ link }) => (link.kind === 'value' ? link.value : null)),
    errnos: links.flatMap(({ link }) => (link.kind === 'errno' ? [link.errno] : [])),
  };
}

/** Characters of a reply, roughly. */
function sizeOf(reply: ReplyMessage): number {
  const sum = (texts: readonly (string | null)[]): number =>
    texts.reduce((chars, text) => chars + (text?.length ?? 0) + 6, 60);
  switch (reply.kind) {
    case 'bytes':
      return reply.bytes.length + 60;
    case 'names':
      return sum(reply.names);
    case 'links':
      return sum(reply.names) + sum(reply.links) + sum(reply.errnos);
    case 'text':
      return reply.text.length + 60;
    case 'count':
    case 'answer':
    case 'errno':
      return 80;
  }
}

/** Serves the calls of one client until it goes away. */
export function serveCalls(kernel: KernelFs, stream: ServerDuplexStream<unknown, unknown>): void {
  const writer = new BatchWriter<ReplyMessage>(stream, sizeOf, {
    // A client that does not take its answers gets no more calls made.
    onFull: () => stream.pause(),
    onRoom: () => stream.resume(),
  });
  stream.on('data', (batch: unknown) => {
    const calls = checked(messages.calls, batch);
    if (!calls.ok) {
      stream.emit('error', { code: status.INVALID_ARGUMENT, details: `calls ${calls.problem}` });
      return;
    }
    for (const call of calls.value) {
      void answer(kernel, call).then((reply) => writer.post(reply));
    }
  });
  const gone = (): void => writer.close();
  stream.on('cancelled', gone);
  stream.on('error', gone);
  stream.on('end', () => {
    gone();
    stream.end();
  });
}

/** Hints that may wait for a client that does not take them; more are told as one overflow. */
const hintsWaitingMax = 1024;

/** Serves hints to one client until it goes away. */
export function serveChanges(
  kernel: KernelFs,
  stream: ServerWritableStream<unknown, unknown>,
): void {
  let full = false;
  let missed = 0;
  const send = (hint: unknown): void => {
    full = !stream.write(hint);
  };
  // What happened between the client's last look and now is not known.
  send({ source: 'overflow', subject: null });
  const watching = kernel.changes((hint) => {
    if (full && ++missed > hintsWaitingMax) return;
    send(hint);
  });
  stream.on('drain', () => {
    full = false;
    if (missed > hintsWaitingMax) send({ source: 'overflow', subject: null });
    missed = 0;
  });
  const gone = (): void => watching.close();
  stream.on('cancelled', gone);
  stream.on('error', gone);
  stream.on('close', gone);
}
