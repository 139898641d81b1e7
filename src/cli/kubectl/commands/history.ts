// `kubectl wholegroup history`: what happened to a group, in the order of time.
import type { Command } from 'commander';
import { historyOf } from '../../../kubectl/history.ts';
import { addOutputFlag, type CommandContext } from '../../command-context.ts';
import { exitStatuses } from '../../exit.ts';
import { type OutputForm, print } from '../../output.ts';
import { groupForms, groupsMeant } from '../groups-meant.ts';
import { historyLines } from '../render/history.ts';
import { addClusterFlags, type ClusterFlags, openSession } from '../session.ts';

interface HistoryFlags extends ClusterFlags {
  readonly output: OutputForm;
}

/** Adds the command. */
export function addHistoryCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('history')
    .description('what happened to a group: its Events, and what its object remembers')
    .argument('<group>', groupForms);
  addOutputFlag(addClusterFlags(command)).action(async (group: string, flags: HistoryFlags) => {
    context.done(await history(group, flags, context));
  });
}

async function history(
  text: string,
  flags: HistoryFlags,
  { streams, env }: CommandContext,
): Promise<number> {
  using session = await openSession(flags, env);
  const groups = await groupsMeant([text], session.reader);
  const [group] = groups.ok ? groups.value : [];
  if (!groups.ok || group === undefined) {
    streams.err(`${groups.ok ? `there is no group ${text}` : groups.problem}\n`);
    return exitStatuses.notFound.status;
  }
  const events = await session.reader.eventsAbout('IOMMUGroup', group.metadata);
  const entries = historyOf(group, events ?? []);
  print(streams, flags.output, entries, () =>
    historyLines(entries, events !== null, streams.paint),
  );
  return exitStatuses.ok.status;
}
