// The server's side of file calls and hints: every call of a batch is made at once, each answer goes back when
// the kernel has it. What a client that went away had started goes on.
import { status, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import { BatchWriter } from '../remote/batch-writer.ts';
import { checked, messages, type CallMessage, type ReplyMessage } from '../remote/protocol.ts';
import type { KernelFs, Outcome, Settled } from '../fs.ts';

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
  const reply = (got: Settled<string | number | boolean | readonly string[]>): ReplyMessage =>
    got.kind === 'errno'
      ? { id, errno: got.errno }
      : { id, value: Array.isArray(got.value) ? [...got.value] : (got.value as string | number) };
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
      if (got.kind === 'errno') return { id, errno: got.errno };
      return { id, bytes: Buffer.from(got.value).toString('base64') };
    }
    case 'list':
      return reply(await settled(kernel.list(path, options)));
    case 'readLink':
      return reply(await settled(kernel.readLink(path, options)));
    case 'readLinks': {
      const got = await settled(kernel.readLinks(path, options));
      if (got.kind === 'errno') return { id, errno: got.errno };
      const names = got.value.map(({ name }) => name);
      const links = got.value.map(({ link }) =>
        link.kind === 'value' ? link.value : { errno: link.errno },
      );
      return { id, names, links };
    }
    case 'exists':
      return reply(await settled(kernel.exists(path, options)));
    case 'write':
      return reply(await settled(kernel.write(path, call.data, options)));
  }
}

function sizeOf(reply: ReplyMessage): number {
  if ('bytes' in reply) return reply.bytes.length + 40;
  if ('errno' in reply) return 60;
  if ('names' in reply) {
    const texts = reply.links.map((link) => (typeof link === 'string' ? link.length : 20));
    return texts.reduce((sum, chars, at) => sum + chars + (reply.names[at]?.length ?? 0) + 6, 60);
  }
  const { value } = reply;
  if (!Array.isArray(value)) return String(value).length + 40;
  return value.reduce((sum, name) => sum + name.length + 3, 40);
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
