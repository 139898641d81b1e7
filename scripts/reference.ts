// The pages of docs/reference that are made from catalogues in src. Texts only; generated.ts says where they go.
import { groupReasons, type ReasonEntry } from '../src/agent/report/happenings.ts';
import { errorCatalogue } from '../src/base/errors.ts';
import { exitStatuses } from '../src/cli/exit.ts';
import type { Streams } from '../src/cli/output.ts';
import { plain } from '../src/cli/render/paint.ts';
import type { CommandLine } from '../src/cli/streams.ts';
import { logEvents } from '../src/observe/events.ts';
import type { EventEntry } from '../src/observe/event-entry.ts';
import { type MetricEntry, metricCatalogue } from '../src/observe/metric-catalogue.ts';
import { blockerCatalogue, blockerKinds } from '../src/ownership/catalogue.ts';
import { page, table } from './markdown.ts';

/** docs/reference/errors.md */
export function errorsPage(): string {
  const rows = Object.entries(errorCatalogue).map(([code, { meaning, remedy, exitStatus }]) => [
    `\`${code}\``,
    ...[meaning, remedy, String(exitStatus)],
  ]);
  const intro =
    'Every error that ends a command or is told to a person carries one of these codes. The exit status is that of ' +
    'the process when the error ends it (numbers of sysexits.h).';
  return page(
    'Errors',
    'src/base/errors.ts',
    intro,
    table(['code', 'meaning', 'what to do', 'exit'], rows),
  );
}

/** docs/reference/events.md */
export function eventsPage(): string {
  const rows = Object.entries<EventEntry>(logEvents)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { level, meaning, fields }]) => [
      `\`${name}\``,
      level,
      meaning,
      fields.map((field) => `\`${field}\``).join(', '),
    ]);
  const intro =
    'The message (`msg`) of every log line is one of these names; everything else is in fields. Beside the fields ' +
    'each line has `time` (ISO 8601, UTC) and `level`. `leader` is the address that a group goes by, `group` its ' +
    'kernel number in this boot.';
  return page(
    'Log events',
    'src/observe/events.ts',
    intro,
    table(['event', 'level', 'meaning', 'fields'], rows),
  );
}

/** docs/reference/kubernetes-events.md */
export function kubernetesEventsPage(): string {
  const rows = Object.entries<ReasonEntry>(groupReasons).map(
    ([reason, { type, action, meaning }]) => [`\`${reason}\``, type, `\`${action}\``, meaning],
  );
  const intro =
    'The agent tells what happens to a group as Events (events.k8s.io/v1) about its IOMMUGroup object, in the ' +
    'namespace `default`; the pod that has the group is `related`. What repeats within minutes is one series. ' +
    '`kubectl events --for iommugroup/NAME` shows them.';
  return page(
    'Kubernetes Events',
    'src/agent/report/happenings.ts',
    intro,
    table(['reason', 'type', 'action', 'meaning'], rows),
  );
}

function labelsText(labels: Readonly<Record<string, readonly string[]>>): string {
  const texts = Object.entries(labels).map(([label, values]) => {
    const shown = values.length > 8 ? [...values.slice(0, 6), '…'] : values;
    return values.length === 0 ? `\`${label}\`` : `\`${label}\`: ${shown.join(', ')}`;
  });
  return texts.join('; ');
}

/** docs/reference/metrics.md */
export function metricsPage(): string {
  const rows = Object.entries<MetricEntry>(metricCatalogue).map(
    ([name, { kind, help, labels, buckets }]) => [
      `\`${name}\``,
      kind,
      buckets === undefined ? help : `${help} Buckets: ${buckets.join(', ')}.`,
      labelsText(labels ?? {}),
    ],
  );
  const intro =
    'Served on `/metrics` in the text format of Prometheus, on a loopback address unless told otherwise. All series of ' +
    'closed labels are there from the start, at zero. Kinds of blockers are listed in [blockers.md](blockers.md).';
  return page(
    'Metrics',
    'src/observe/metric-catalogue.ts',
    intro,
    table(['metric', 'kind', 'meaning', 'labels'], rows),
  );
}

/** docs/reference/blockers.md */
export function blockersPage(): string {
  const rows = blockerKinds.map((kind) => {
    const { says, remedy, waivable } = blockerCatalogue[kind];
    return [
      `\`${kind}\``,
      `ADDRESS ${says.replace('{}', '…')}`,
      remedy,
      waivable ? 'yes' : 'never',
    ];
  });
  const intro =
    'One reason each why a group cannot be released to a pod now. A group without any is releasable. `waive` in a ' +
    'policy passes over a kind, one by one, where the last column says so.';
  return page(
    'Blockers',
    'src/ownership/catalogue.ts',
    intro,
    table(['kind', 'what is so', 'what to do', 'waivable'], rows),
  );
}

/** docs/reference/exit-codes.md */
export function exitCodesPage(): string {
  const answers = Object.values(exitStatuses).map(({ status, meaning }) => ({ status, meaning }));
  const byStatus = Map.groupBy(Object.entries(errorCatalogue), ([, { exitStatus }]) => exitStatus);
  const errors = [...byStatus].map(([status, entries]) => ({
    status,
    meaning: entries.map(([code, { meaning }]) => `\`${code}\`: ${meaning}`).join(' '),
  }));
  const rows = [...answers, ...errors]
    .sort((a, b) => a.status - b.status)
    .map(({ status, meaning }) => [`\`${status}\``, meaning]);
  const intro =
    'The status with which `wholegroup` ends. Small numbers are answers, printed on standard output; those from 64 on ' +
    'are errors, told on standard error with their code (numbers of sysexits.h; what to do is in ' +
    '[errors.md](errors.md)).';
  return page(
    'Exit codes',
    'src/cli/exit.ts and src/base/errors.ts',
    intro,
    table(['status', 'meaning'], rows),
  );
}

/** The help of a command line, as it is printed where nobody looks at a terminal. */
async function helpOf(line: CommandLine, words: readonly string[]): Promise<string> {
  let text = '';
  const streams: Streams = {
    out: (part) => void (text += part),
    err: (part) => void (text += part),
    ...{ interactive: false, isTerminal: false, columns: () => 100, paint: plain },
  };
  await line([...words, '--help'], streams, {});
  return text;
}

/** Names of the commands below one, from its help. */
function commandsBelow(help: string): readonly string[] {
  const [, listed = ''] = help.split('\nCommands:\n');
  const names = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'help');
}

interface Program {
  readonly name: string;
  readonly line: CommandLine;
}

async function commandSections(
  program: Program,
  words: readonly string[] = [],
): Promise<readonly string[]> {
  const help = await helpOf(program.line, words);
  const title = [program.name, ...words].join(' ');
  const own = `## ${title}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\``;
  const below: string[] = [];
  for (const name of commandsBelow(help))
    below.push(...(await commandSections(program, [...words, name])));
  return [own, ...below];
}

// The command lines are loaded where they are needed: whoever only wants another page does not need every command.

/** docs/reference/commands.md */
export async function commandsPage(): Promise<string> {
  const { commandLine: line } = await import('../src/cli/command-line.ts');
  const intro =
    'What `wholegroup --help` and the help of each command print. `-o json` and `-o yaml` have everything that the ' +
    'table has and more; fields are added, never renamed. Statuses are in [exit-codes.md](exit-codes.md).';
  const sections = await commandSections({ name: 'wholegroup', line });
  return page('Commands', 'src/cli/commands', intro, ...sections);
}

/** docs/reference/kubectl.md */
export async function kubectlPage(): Promise<string> {
  const { kubectlCommandLine: line } = await import('../src/cli/kubectl/command-line.ts');
  const { nodeMajorMin } = await import('./kubectl-plugin.ts');
  const intro =
    'The plugin: `npm run bundle -- --kubectl` makes `dist/kubectl`, a folder that can stand in PATH as it is, and an ' +
    'archive of it; with `--krew URL` also a manifest for krew, for an archive that is going to be at that address. It ' +
    `needs Node.js ${nodeMajorMin} or newer, and the rights of the ClusterRole wholegroup-view; to cordon, those of ` +
    'wholegroup-operator. With `kubectl_complete-wholegroup` in PATH, `kubectl` completes names of groups and nodes too. ' +
    'Statuses are in [exit-codes.md](exit-codes.md).';
  const sections = await commandSections({ name: 'kubectl wholegroup', line });
  return page('kubectl wholegroup', 'src/cli/kubectl/commands', intro, ...sections);
}
