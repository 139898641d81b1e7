// The client of a served machine's control service: users, administrator and hardware, from another process.
import type { Clock } from '../../base/clock.ts';
import { CodedError, errorText } from '../../base/errors.ts';
import type { OperationArguments, OperationName } from '../model/serve-operations.ts';
import { openConnection, unary, type Connection } from './connection.ts';
import { checked, controlService, messages, type ControlAnswer } from './protocol.ts';

/** The control service. Made by connectControl. */
export class RemoteControl {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Performs an operation and waits until it is over, which for some is when a user has left (hotRemove). Throws
   * CodedError WG_KERNEL_UNREACHABLE when the connection is lost meanwhile: the operation may go on then.
   */
  perform<Name extends OperationName>(
    operation: Name,
    given: OperationArguments[Name],
  ): Promise<ControlAnswer> {
    return this.performNamed(operation, given);
  }

  /** The same for a name and arguments that come from a person. */
  async performNamed(
    operation: string,
    given: Readonly<Record<string, unknown>>,
  ): Promise<ControlAnswer> {
    return this.#ask(controlService.Perform, { operation, arguments: given }, messages.answer);
  }

  /** The operations there are. */
  async operations(): Promise<readonly { readonly name: string; readonly does: string }[]> {
    return this.#ask(controlService.List, {}, messages.operations);
  }

  /** Ends the connection. */
  close(): void {
    this.#connection.client.close();
  }

  async #ask<Form extends typeof messages.answer | typeof messages.operations>(
    method: (typeof controlService)['Perform'],
    message: unknown,
    form: Form,
  ): Promise<ReturnType<Form['parse']>> {
    const where = `unix://${this.#connection.socketPath}`;
    let answer: unknown;
    try {
      answer = await unary(this.#connection.client, method, message);
    } catch (problem) {
      throw new CodedError('WG_KERNEL_UNREACHABLE', `${where}: ${errorText(problem)}`, {
        cause: problem,
      });
    }
    const right = checked(form, answer);
    if (right.ok) return right.value as ReturnType<Form['parse']>;
    throw new CodedError('WG_KERNEL_UNREACHABLE', `${where}: ${right.problem}`);
  }
}

/** Connects to the control service of a served machine. Throws CodedError WG_KERNEL_UNREACHABLE. */
export async function connectControl(socketPath: string, clock: Clock): Promise<RemoteControl> {
  return new RemoteControl(await openConnection(socketPath, clock));
}
