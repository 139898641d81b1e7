// Flags and arguments of every command, in one place: `--help` is the reference.
import { Command, CommanderError, Option } from 'commander';
import { errorCatalogue } from '../base/errors.ts';
import { type LogLevel, logLevels } from '../observe/log.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addSimCommand } from './commands/sim.ts';
import type { CommandContext } from './command-context.ts';
import type { Streams } from './output.ts';
import { version } from './version.ts';

/** Runs one command line; resolves with the exit status. Throws CodedError. */
export async function commandLine(
  args: readonly string[],
  streams: Streams,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  let status = 0;
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
    .configureOutput({ writeOut: streams.out, writeErr: streams.err });
  addDemoCommand(program, context);
  addInspectCommand(program, context);
  addExplainCommand(program, context);
  addAgentCommand(program, context);
  addSimCommand(program, context);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    // Commander has printed its message; help that was asked for is no error.
    return thrown.exitCode === 0 ? 0 : errorCatalogue.WG_FLAG_INVALID.exitStatus;
  }
  return status;
}
