// The server's side of the control service: finds the operation, checks its arguments, performs it.
import { type sendUnaryData, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import {
  checked,
  messages,
  type ControlAnswer,
  type OperationMessage,
} from '../remote/protocol.ts';
import type { Operation, Served } from './serve-operation.ts';
import { operations } from './serve-operations.ts';
import { problemsOf } from './topology-problem.ts';

/** Performs an operation by name. Never throws for what the caller did wrong: that is the answer `invalid`. */
async function performOperation(served: Served, message: OperationMessage): Promise<ControlAnswer> {
  const { operation: name } = message;
  const found: Operation | undefined = Object.hasOwn(operations, name)
    ? operations[name as keyof typeof operations]
    : undefined;
  if (found === undefined) {
    const allowed = Object.keys(operations).join(', ');
    const problem = `is "${name}"; must be one of ${allowed}`;
    return { kind: 'invalid', problems: [{ field: 'operation', message: problem }] };
  }
  const given = found.form.safeParse(message.arguments);
  if (!given.success) {
    const problems = problemsOf(given.error).map(({ field, message }) => ({
      field: field === '' ? 'arguments' : field,
      message,
    }));
    return { kind: 'invalid', problems };
  }
  const ran = await found.run(served, given.data);
  return 'errno' in ran
    ? { kind: 'errno', errno: ran.errno }
    : { kind: 'done', value: ran.value ?? null };
}

/** The handlers of the control service. `onPerformed` is called after every operation. */
export function controlHandlers(served: Served, log: Log, onPerformed: () => void) {
  return {
    Perform: (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>): void => {
      const message = checked(messages.operation, call.request);
      if (!message.ok) {
        done({ code: status.INVALID_ARGUMENT, details: message.problem });
        return;
      }
      performOperation(served, message.value).then(
        (answer) => {
          log.info('sim-operation', {
            operation: message.value.operation,
            arguments: message.value.arguments,
            answer: answer.kind,
          });
          onPerformed();
          done(null, answer);
        },
        (problem: unknown) => done({ code: status.INTERNAL, details: errorText(problem) }),
      );
    },
    List: (_call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>): void => {
      done(
        null,
        Object.entries(operations).map(([name, { does }]) => ({ name, does })),
      );
    },
  };
}
