// `kubectl wholegroup cordon` and `uncordon`: groups out of service and back. A pod that has one keeps it.
import type { Command } from 'commander';
import { type Cordon, type CordonOutcome, setCordon } from '../../../kubectl/cordon.ts';
import { addOutputFlag, type CommandContext } from '../../command-context.ts';
import { exitStatuses } from '../../exit.ts';
import { type OutputForm, print } from '../../output.ts';
import { groupForms, groupsMeant } from '../groups-meant.ts';
import { addClusterFlags, type ClusterFlags, openSession } from '../session.ts';

interface CordonFlags extends ClusterFlags {
  readonly output: OutputForm;
  readonly reason?: string;
}

/** Adds the command. */
export function addCordonCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('cordon')
    .description(
      'take groups out of service: a pod that has one keeps it, and nobody gets it after',
    )
    .argument('<group...>', groupForms)
    .option('--reason <text>', 'why, in words: shown wherever the group is', '');
  addOutputFlag(addClusterFlags(command)).action(async (groups: string[], flags: CordonFlags) => {
    const cordon = { cordoned: true, reason: flags.reason ?? '' };
    context.done(await change(groups, cordon, flags, context));
  });
}

/** Adds the command. */
export function addUncordonCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('uncordon')
    .description('put groups back into service')
    .argument('<group...>', groupForms);
  addOutputFlag(addClusterFlags(command)).action(async (groups: string[], flags: CordonFlags) => {
    context.done(await change(groups, { cordoned: false, reason: '' }, flags, context));
  });
}

function outcomeLine({ group, cordoned, changed, pod }: CordonOutcome): string {
  const word = cordoned ? 'cordoned' : 'uncordoned';
  const kept = cordoned && pod !== null ? `; pod ${pod} keeps it until it ends` : '';
  return `iommugroup.wholegroup.dev/${group} ${changed ? word : `already ${word}`}${kept}`;
}

async function change(
  texts: readonly string[],
  cordon: Cordon,
  flags: CordonFlags,
  { streams, env }: CommandContext,
): Promise<number> {
  using session = await openSession(flags, env);
  // All of them are looked for before any is changed: a mistyped name changes nothing.
  const groups = await groupsMeant(texts, session.reader);
  if (!groups.ok) {
    streams.err(`${groups.problem}\n`);
    return exitStatuses.notFound.status;
  }
  const outcomes: CordonOutcome[] = [];
  for (const group of groups.value) outcomes.push(await setCordon(session.client, group, cordon));
  print(streams, flags.output, outcomes, () => outcomes.map(outcomeLine));
  return exitStatuses.ok.status;
}
