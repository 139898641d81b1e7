// Flags and arguments of every command of `kubectl wholegroup`, in one place: `--help` is the reference.
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { Streams } from '../output.ts';
import { addCommands, type Commands, parsed, settled } from '../program.ts';
import { version } from '../version.ts';

const commands: Commands = {
  tree: async () => (await import('./commands/tree.ts')).addTreeCommand,
  explain: async () => (await import('./commands/explain.ts')).addExplainCommand,
  cordon: async () => (await import('./commands/cordon.ts')).addCordonCommand,
  uncordon: async () => (await import('./commands/cordon.ts')).addUncordonCommand,
  history: async () => (await import('./commands/history.ts')).addHistoryCommand,
  completion: async () => (await import('./commands/completion.ts')).addCompletionCommand,
};

/** What a shell asks with; what is typed so far follows, the word under the cursor last. */
const completeWord = '__complete';

/** Runs one command line of the plugin; resolves with the exit status. Throws CodedError. */
export async function kubectlCommandLine(
  args: readonly string[],
  streams: Streams,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  let status = 0;
  const context: CommandContext = { streams, env, done: (code) => (status = code) };
  const program = settled(new Command('kubectl wholegroup'), streams)
    .description('IOMMU groups of a cluster: who has them, and why the others are not offered.')
    .version(version);
  const [first, ...typed] = args;
  if (first === completeWord) {
    await addCommands(program, context, { commands, args: [] });
    const { complete } = await import('./complete.ts');
    streams.out(await complete(program, typed, env));
    return 0;
  }
  await addCommands(program, context, { commands, args });
  return (await parsed(program, args)) ?? status;
}
