// `wholegroup policies PATH`: checks policy files as the agent would read them, and says what they come to.
import type { Command } from 'commander';
import { CodedError } from '../../base/errors.ts';
import type { PassthroughPolicy } from '../../policy/policy.ts';
import { listPolicyFiles, PolicyFiles, type PolicyState } from '../../record/policy-files.ts';
import { addOutputFlag, type CommandContext } from '../command-context.ts';
import { type OutputForm, print } from '../output.ts';
import { tableLines } from '../render/table.ts';

/** Adds the command. */
export function addPoliciesCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('policies')
    .description('check policy files as the agent would read them, and say what they come to')
    .argument('<path>', 'a file, or a folder with *.yaml, *.yml and *.json');
  addOutputFlag(command).action(async (path: string, flags: { readonly output: OutputForm }) => {
    const state = await readOnce(path);
    if (state.problems.length > 0) throw new CodedError('WG_POLICY_INVALID', problemText(state));
    print(context.streams, flags.output, state.policies, () => policyLines(state.policies));
    context.done(0);
  });
}

async function readOnce(path: string): Promise<PolicyState> {
  const files = new PolicyFiles(path);
  await files.take(await listPolicyFiles(path));
  return files.state();
}

/** Every problem in a line of its own: where, and the allowed form. */
function problemText(state: PolicyState): string {
  const count = state.problems.length;
  const lines = state.problems.map(({ path, message }) => `  ${path}: ${message}`);
  return [`${count} problem${count === 1 ? '' : 's'}`, ...lines].join('\n');
}

function policyLines(policies: readonly PassthroughPolicy[]): readonly string[] {
  const headings = [
    'POLICY',
    'RESOURCE',
    'PRIORITY',
    'SELECTORS',
    'COMPANIONS',
    'BINDING',
    'ACCESS',
    'RESET',
  ];
  const rows = policies.map((policy) => [
    ...[policy.name, policy.resourceName, String(policy.priority), String(policy.devices.length)],
    ...[policy.companions, policy.binding, policy.access, policy.reset],
  ]);
  return tableLines(
    headings.map((heading) => ({ heading })),
    rows,
  );
}
