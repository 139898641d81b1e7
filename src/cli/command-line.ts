// Flags and arguments of every command of `wholegroup`, in one place: `--help` is the reference.
import { Command, Option } from 'commander';
import { type LogLevel, logLevels } from '../observe/log.ts';
import type { CommandContext } from './command-context.ts';
import type { Streams } from './output.ts';
import { addCommands, type Commands, parsed, settled } from './program.ts';
import { version } from './version.ts';

/** An agent that stays for months does not keep the simulated kernel or the demo in memory. */
const commands: Commands = {
  demo: async () => (await import('./commands/demo.ts')).addDemoCommand,
  inspect: async () => (await import('./commands/inspect.ts')).addInspectCommand,
  explain: async () => (await import('./commands/explain.ts')).addExplainCommand,
  agent: async () => (await import('./commands/agent.ts')).addAgentCommand,
  controller: async () => (await import('./commands/controller.ts')).addControllerCommand,
  policies: async () => (await import('./commands/policies.ts')).addPoliciesCommand,
  sim: async () => (await import('./commands/sim.ts')).addSimCommand,
};

/** Runs one command line; resolves with the exit status. Throws CodedError. */
export async function commandLine(
  args: readonly string[],
  streams: Streams,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  let status = 0;
  const context: CommandContext = { streams, env, done: (code) => (status = code) };
  const program = settled(new Command('wholegroup'), streams)
    .description(
      'Hands PCI devices to pods only together with their whole IOMMU group.\n' +
        'Start with "wholegroup demo" (no cluster, no hardware) or "wholegroup inspect" (this machine).',
    )
    .version(version)
    .addOption(
      new Option('--log-level <level>', 'least level of log lines on stderr')
        .choices([...logLevels])
        .default('info' satisfies LogLevel),
    );
  await addCommands(program, context, { commands, args });
  return (await parsed(program, args)) ?? status;
}
