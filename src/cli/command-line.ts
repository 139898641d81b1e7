// Flags and arguments of every command, in one place: `--help` is the reference.
import { Command, CommanderError, Option } from 'commander';
import { errorCatalogue } from '../base/errors.ts';
import { type LogLevel, logLevels } from '../observe/log.ts';
import type { CommandContext } from './command-context.ts';
import type { Streams } from './output.ts';
import { version } from './version.ts';

type AddCommand = (program: Command, context: CommandContext) => void;

/**
 * The commands in the order of `--help`. Each is loaded only when it is asked for: an agent that stays for months
 * does not keep the simulated kernel or the demo in memory.
 */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  demo: async () => (await import('./commands/demo.ts')).addDemoCommand,
  inspect: async () => (await import('./commands/inspect.ts')).addInspectCommand,
  explain: async () => (await import('./commands/explain.ts')).addExplainCommand,
  agent: async () => (await import('./commands/agent.ts')).addAgentCommand,
  controller: async () => (await import('./commands/controller.ts')).addControllerCommand,
  policies: async () => (await import('./commands/policies.ts')).addPoliciesCommand,
  sim: async () => (await import('./commands/sim.ts')).addSimCommand,
};

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
async function addCommands(
  program: Command,
  context: CommandContext,
  args: readonly string[],
): Promise<void> {
  const named = args.find((arg) => Object.hasOwn(commands, arg));
  for (const [name, load] of Object.entries(commands)) {
    if (named === undefined || named === name) (await load())(program, context);
  }
}

/** Runs one command line; resolves with the exit status. Throws CodedError. */
export async function commandLine(
  args: readonly string[],
  streams: Streams,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  let status = 0;
  const columns = (): number => (streams.isTerminal ? streams.columns() : pipedHelpColumns);
  const context: CommandContext = { streams, env, done: (code) => (status = code) };
  const program = new Command('wholegroup')
    .description(
      'Hands PCI devices to pods only together with their whole IOMMU group.\n' +
        'Start with "wholegroup demo" (no cluster, no hardware) or "wholegroup inspect" (this machine).',
    )
    .version(version)
    .addOption(
      new Option('--log-level <level>', 'least level of log lines on stderr')
        .choices([...logLevels])
        .default('info' satisfies LogLevel),
    )
    .showHelpAfterError('(--help lists commands and flags)')
    .exitOverride()
    .configureOutput({
      ...{ writeOut: streams.out, writeErr: streams.err },
      ...{ getOutHelpWidth: columns, getErrHelpWidth: columns },
    });
  await addCommands(program, context, args);
  inherit(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    // Commander has printed its message; help that was asked for is no error.
    return thrown.exitCode === 0 ? 0 : errorCatalogue.WG_FLAG_INVALID.exitStatus;
  }
  return status;
}
