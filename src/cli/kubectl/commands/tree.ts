// `kubectl wholegroup tree`: nodes, their groups, the functions of those; who owns them and who has them.
import type { Command } from 'commander';
import { nodeOf } from '../../../kubectl/group-facts.ts';
import { clusterTree, type TreeFilter } from '../../../kubectl/tree.ts';
import { addOutputFlag, type CommandContext } from '../../command-context.ts';
import { exitStatuses } from '../../exit.ts';
import { type OutputForm, print } from '../../output.ts';
import { treeLines } from '../render/tree.ts';
import { addClusterFlags, type ClusterFlags, openSession } from '../session.ts';

interface TreeFlags extends ClusterFlags {
  readonly output: OutputForm;
  readonly namespace?: string;
  readonly resource?: string;
}

/** Adds the command. */
export function addTreeCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('tree')
    .description(
      'nodes, their IOMMU groups and the functions of those: who owns them, who has them',
    )
    .argument('[node...]', 'only these nodes')
    .option('-n, --namespace <name>', 'only groups that pods of this namespace have')
    .option('--resource <name>', 'only groups that are offered as this');
  addOutputFlag(addClusterFlags(command)).action(async (nodes: string[], flags: TreeFlags) => {
    context.done(await tree(nodes, flags, context));
  });
}

async function tree(
  names: readonly string[],
  flags: TreeFlags,
  { streams, env }: CommandContext,
): Promise<number> {
  using session = await openSession(flags, env);
  const { reader, nowMs } = session;
  const [nodes, groups] = await Promise.all([
    reader.passthroughNodes(),
    reader.groupsOfNodes(names),
  ]);
  const wanted = nodes.filter(
    ({ metadata }) => names.length === 0 || names.includes(metadata.name),
  );
  const filter: TreeFilter = {
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    ...(flags.resource === undefined ? {} : { resourceName: flags.resource }),
  };
  const found = clusterTree(wanted, groups, filter);
  const width = streams.isTerminal ? streams.columns() : null;
  print(streams, flags.output, found, () =>
    treeLines(found, { paint: streams.paint, width, nowMs }),
  );
  const known = new Set([...wanted.map(({ metadata }) => metadata.name), ...groups.map(nodeOf)]);
  const missing = names.filter((name) => !known.has(name));
  for (const name of missing) streams.err(`no agent has told of a node ${name}\n`);
  if (missing.length === 0 && found.nodes.length === 0) streams.err('nothing found\n');
  return missing.length > 0 ? exitStatuses.notFound.status : exitStatuses.ok.status;
}
