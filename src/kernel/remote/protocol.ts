// The protocol between a served kernel and its clients: gRPC on a unix socket, messages as JSON (UTF-8). Written
// as service definitions instead of a .proto, so that there is nothing to find and load at run time.
//
//   Kernel/Hello     unary          versions of the protocol must be equal
//   Kernel/Calls     both streams   batches of file calls and, in any order, of their answers; an answer comes when
//                                   the kernel has it, however late. Deadlines are the client's: nothing is cancelled
//   Kernel/Changes   server stream  change hints; the first is an overflow: something may have changed before
//   Control/Perform  unary          one operation on the machine by name; answers when the operation is over
//   Control/List     unary          names of operations with what they do
//
// A client that goes away takes nothing with it: its calls go on in the kernel, their answers are dropped.
import type { ServiceDefinition } from '@grpc/grpc-js';
import * as z from 'zod';
import { fail, ok, type Result } from '../../base/result.ts';

/** Raised when messages change their meaning. */
export const protocolVersion = 2;

/** Calls or answers in one message, at most. */
export const batchEntriesMax = 256;
/** Characters at which a batch is sent. */
export const batchCharsMax = 256 * 1024;
/** One answer may have a file of 1 MiB in base64, beside a batch that was almost full. */
export const messageBytesMax = 8 * 1024 * 1024;

const path = z.string().min(1).max(4096).startsWith('/');
const id = z.int().nonnegative();

const callForm = z.discriminatedUnion('op', [
  z.strictObject({
    id,
    op: z.literal('read'),
    path,
    firstBytes: z.int().positive().optional(),
    linesWith: z.string().max(1000).optional(),
  }),
  z.strictObject({ id, op: z.literal('list'), path }),
  z.strictObject({ id, op: z.literal('readLink'), path }),
  z.strictObject({ id, op: z.literal('readLinks'), path }),
  z.strictObject({ id, op: z.literal('exists'), path }),
  z.strictObject({ id, op: z.literal('write'), path, data: z.string().max(1024 * 1024) }),
]);

/** One call on a file. */
export type CallMessage = z.output<typeof callForm>;

// Told apart by `kind`: a message has hundreds of them, and trying one form after the other costs more than the reads.
const replyForm = z.discriminatedUnion('kind', [
  z.strictObject({ id, kind: z.literal('bytes'), bytes: z.string() }),
  z.strictObject({ id, kind: z.literal('names'), names: z.array(z.string()) }),
  z.strictObject({
    id,
    kind: z.literal('links'),
    names: z.array(z.string()),
    /** For each name: where its link leads, or null. */
    links: z.array(z.string().nullable()),
    /** For each name whose link cannot be told, in order: why. */
    errnos: z.array(z.string()),
  }),
  z.strictObject({ id, kind: z.literal('text'), text: z.string() }),
  z.strictObject({ id, kind: z.literal('count'), count: z.number() }),
  z.strictObject({ id, kind: z.literal('answer'), answer: z.boolean() }),
  z.strictObject({ id, kind: z.literal('errno'), errno: z.string() }),
]);

/** The answer to one call: bytes of a file, links of a folder, another value, or an errno. */
export type ReplyMessage = z.output<typeof replyForm>;

const hintForm = z.strictObject({
  source: z.enum(['uevent', 'inotify', 'overflow']),
  subject: z.string().nullable(),
});

/** The messages by name. */
export const messages = {
  hello: z.strictObject({ protocol: z.int() }),
  welcome: z.strictObject({ protocol: z.int(), machine: z.string(), profile: z.string() }),
  calls: z.array(callForm).max(batchEntriesMax),
  replies: z.array(replyForm).max(batchEntriesMax),
  hint: hintForm,
  operation: z.strictObject({
    operation: z.string().max(100),
    arguments: z.record(z.string(), z.unknown()),
  }),
  answer: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('done'), value: z.unknown() }),
    z.strictObject({ kind: z.literal('errno'), errno: z.string() }),
    z.strictObject({
      kind: z.literal('invalid'),
      problems: z.array(z.strictObject({ field: z.string(), message: z.string() })),
    }),
  ]),
  operations: z.array(z.strictObject({ name: z.string(), does: z.string() })),
  nothing: z.strictObject({}),
} as const;

/** What an operation came to. `invalid`: it was not tried; each problem names the argument and the allowed form. */
export type ControlAnswer = z.output<typeof messages.answer>;
/** An operation as it is asked for. */
export type OperationMessage = z.output<typeof messages.operation>;

/** Checks a message that came over the wire; the problem names the field. */
export function checked<Form extends z.ZodType>(
  form: Form,
  message: unknown,
): Result<z.output<Form>> {
  const parsed = form.safeParse(message);
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  return fail(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not of the allowed form'}`);
}

function encode(message: unknown): Buffer {
  return Buffer.from(JSON.stringify(message));
}

function decode(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString('utf8'));
}

const codec = {
  requestSerialize: encode,
  requestDeserialize: decode,
  responseSerialize: encode,
  responseDeserialize: decode,
} as const;

function method(service: string, name: string, streams: { request?: boolean; response?: boolean }) {
  return {
    path: `/wholegroup.sim.v1.${service}/${name}`,
    requestStream: streams.request === true,
    responseStream: streams.response === true,
    ...codec,
  };
}

/** File calls and hints. Messages are unchecked here; both sides check what they get. */
export const kernelService = {
  Hello: method('Kernel', 'Hello', {}),
  Calls: method('Kernel', 'Calls', { request: true, response: true }),
  Changes: method('Kernel', 'Changes', { response: true }),
} as const satisfies ServiceDefinition;

/** Operations on the machine. */
export const controlService = {
  Perform: method('Control', 'Perform', {}),
  List: method('Control', 'List', {}),
} as const satisfies ServiceDefinition;
