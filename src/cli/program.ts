// What the programs of this package have in common: how their commands are loaded, printed and ended.
import { type Command, CommanderError } from 'commander';
import { errorCatalogue } from '../base/errors.ts';
import type { CommandContext } from './command-context.ts';
import type { Streams } from './output.ts';

/** Adds one command to a program. */
export type AddCommand = (program: Command, context: CommandContext) => void;

/** Commands in the order of `--help`. Each is loaded only when it is asked for. */
export type Commands = Readonly<Record<string, () => Promise<AddCommand>>>;

/** Columns of help where it is not read on a terminal. */
const pipedHelpColumns = 100;

/** Output and exit settings for every command, also for those below others. */
function inherit(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inherit(command);
  }
}

/** Adds the command that the arguments name; all of them when they name none, for help and for suggestions. */
export async function addCommands(
  program: Command,
  context: CommandContext,
  { commands, args }: { readonly commands: Commands; readonly args: readonly string[] },
): Promise<void> {
  const named = args.find((arg) => Object.hasOwn(commands, arg));
  for (const [name, load] of Object.entries(commands)) {
    if (named === undefined || named === name) (await load())(program, context);
  }
}

/** What every program gets: help where it is missed, output where it is wanted, no exit of its own. */
export function settled(program: Command, streams: Streams): Command {
  const columns = (): number => (streams.isTerminal ? streams.columns() : pipedHelpColumns);
  return program
    .showHelpAfterError('(--help lists commands and flags)')
    .exitOverride()
    .configureOutput({
      ...{ writeOut: streams.out, writeErr: streams.err },
      ...{ getOutHelpWidth: columns, getErrHelpWidth: columns },
    });
}

/** Runs one command line of a program; null: a command ran and left its status. Throws CodedError. */
export async function parsed(program: Command, args: readonly string[]): Promise<number | null> {
  inherit(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return null;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    // Commander has printed its message; help that was asked for is no error.
    return thrown.exitCode === 0 ? 0 : errorCatalogue.WG_FLAG_INVALID.exitStatus;
  }
}
