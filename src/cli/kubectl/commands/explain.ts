// `kubectl wholegroup explain`: why is it not offered, who has it, why is my pod pending.
import type { Command } from 'commander';
import { CodedError } from '../../../base/errors.ts';
import { explainGroup } from '../../../kubectl/explain-group.ts';
import { explainNode } from '../../../kubectl/explain-node.ts';
import { explainPod } from '../../../kubectl/explain-pod.ts';
import { explainPolicy } from '../../../kubectl/explain-policy.ts';
import type { ClusterReader } from '../../../kubectl/reader.ts';
import { type Found, resolve } from '../../../kubectl/resolve.ts';
import { parseSubject, subjectForms } from '../../../kubectl/subject.ts';
import { addOutputFlag, type CommandContext } from '../../command-context.ts';
import { exitStatuses } from '../../exit.ts';
import { type OutputForm, print } from '../../output.ts';
import { type Explanation, explanationLines } from '../render/explanation.ts';
import {
  addClusterFlags,
  type ClusterFlags,
  type NamespaceFlags,
  openSession,
} from '../session.ts';

interface ExplainFlags extends ClusterFlags, NamespaceFlags {
  readonly output: OutputForm;
}

/** Adds the command. */
export function addExplainCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('explain')
    .description(
      'why a device, group, policy or node is not offered, who has it, or why a pod does not get it',
    )
    .argument('<what>', subjectForms)
    .option('-n, --namespace <name>', 'namespace of the pod (default: that of the context)')
    .option('-A, --all-namespaces', 'look for the pod in all namespaces');
  addOutputFlag(addClusterFlags(command)).action(async (what: string, flags: ExplainFlags) => {
    context.done(await explain(what, flags, context));
  });
}

async function explain(
  what: string,
  flags: ExplainFlags,
  { streams, env }: CommandContext,
): Promise<number> {
  const subject = parseSubject(what);
  if (!subject.ok) throw new CodedError('WG_FLAG_INVALID', subject.problem);
  using session = await openSession(flags, env);
  const { reader, nowMs } = session;
  const scope = flags.allNamespaces === true ? null : (flags.namespace ?? session.namespace);
  const found = await resolve(subject.value, reader, scope);
  if ('kind' in found) {
    streams.err(`${found.text}\n`);
    return exitStatuses.notFound.status;
  }
  const explanations = await explained(found, reader);
  print(streams, flags.output, explanations, () =>
    explanations.flatMap((each, index) => [
      ...(index === 0 ? [] : ['']),
      ...explanationLines(each, streams.paint, nowMs),
    ]),
  );
  const well = explanations.every((each) => each.well);
  return well ? exitStatuses.ok.status : exitStatuses.blocked.status;
}

/** What is read besides is read once, however many were found. */
async function explained(
  found: readonly Found[],
  reader: ClusterReader,
): Promise<readonly Explanation[]> {
  const all: Explanation[] = [];
  for (const each of found) {
    switch (each.kind) {
      case 'group':
        all.push(explainGroup(each.group, each.address));
        break;
      case 'policy':
        all.push(explainPolicy(each.policy, await reader.groups()));
        break;
      case 'node': {
        const { name } = each.node.metadata;
        all.push(explainNode(each.node, await reader.groupsOfNodes([name])));
        break;
      }
      case 'pod': {
        const [policies, groups, passthroughNodes, nodes] = await Promise.all([
          ...([reader.policies(), reader.groups()] as const),
          ...([reader.passthroughNodes(), reader.nodes()] as const),
        ]);
        all.push(explainPod(each.pod, { policies, groups, passthroughNodes, nodes }));
        break;
      }
    }
  }
  return all;
}
