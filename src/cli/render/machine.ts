// The report of a machine as lines: a heading that answers "can anything be passed through here at all?", what is
// missing for that, then a line for each member of each group with what keeps it.
import { type Blocker, subjectOf } from '../../ownership/blockers.ts';
import { blockerCatalogue } from '../../ownership/catalogue.ts';
import type { MemberReport } from './member-report.ts';
import { cutToWidth, type Paint } from './paint.ts';
import { type GroupReport, isBridgesOnly, type MachineReport, splitBlockers } from './report.ts';
import { tableLines } from './table.ts';

/** How the lines are wanted. */
export interface MachineView {
  readonly paint: Paint;
  /** Columns of the terminal, at which the table is cut; null: not a terminal, nothing is cut. */
  readonly width: number | null;
  /** Also the groups that hold bridges only. */
  readonly all: boolean;
}

function yesNo(value: boolean | null, paint: Paint): string {
  if (value === null) return paint('busy', 'unknown');
  return value ? paint('good', 'yes') : paint('bad', 'no');
}

function listed(names: readonly string[] | null, none: string, paint: Paint): string {
  if (names === null) return paint('busy', 'unknown');
  return names.join(', ') || paint('bad', none);
}

/** Groups that only wait for what the whole machine lacks. */
function waiting(report: MachineReport): readonly GroupReport[] {
  return report.groups.filter(
    (group) => !group.releasable && splitBlockers(group, report.machineBlockers).own.length === 0,
  );
}

function groupsText(report: MachineReport): string {
  const { length } = report.groups;
  if (length === 0) return 'none';
  const later = waiting(report).length;
  const once = later === 0 ? '' : `, ${later} more once the machine is ready (below)`;
  return `${length}: ${report.releasable} releasable now${once}`;
}

/** Heading: the facts of the machine. */
function headingLines(report: MachineReport, paint: Paint): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['Kernel', report.kernel ?? paint('busy', 'unknown')],
    ['IOMMU', listed(report.iommu, 'none active', paint)],
    ['Interrupt remapping', remappingText(report, paint)],
    ['Ownership accounting', yesNo(report.ownershipAccounting, paint)],
    ['VFIO drivers', listed(report.vfioDrivers, 'none loaded', paint)],
    ['Groups', groupsText(report)],
  ];
  const lines = rows.map(([name, value]) => `${paint('strong', name.padEnd(20))}  ${value}`);
  if (report.acsOverride !== true) return lines;
  const warning =
    'pcie_acs_override= is on the kernel command line: these groups claim an isolation that the hardware does not have';
  return [...lines, '', paint('bad', warning)];
}

function remappingText(report: MachineReport, paint: Paint): string {
  const text = yesNo(report.interruptRemapping, paint);
  if (report.interruptRemapping === true || report.unsafeInterruptsAllowed !== true) return text;
  return `${text}, and allow_unsafe_interrupts is set: a guest can forge interrupts of the host`;
}

/** What keeps every group alike, once. A machine without an IOMMU gets advice of its own instead. */
function missingLines(report: MachineReport, paint: Paint): readonly string[] {
  const missing = report.machineBlockers.filter(({ kind }) => kind !== 'IommuAbsent');
  if (missing.length === 0 || report.groups.length === 0) return [];
  return [
    '',
    paint('bad', 'No group can be released before this is put right:'),
    ...missing.map(
      (blocker) =>
        `  ${paint('strong', blocker.kind)} (${subjectOf(blocker)}): ${blockerCatalogue[blocker.kind].remedy}`,
    ),
  ];
}

/** "Ethernet controller" is "Ethernet" in a table. */
function shortClass(description: string): string {
  return description.replace(/ (?:controller|device)$/, '');
}

function statusCell(group: GroupReport, own: readonly Blocker[], paint: Paint): string {
  if (group.releasable) return paint('good', 'yes');
  return own.length === 0 ? paint('busy', 'not yet') : paint('bad', 'no');
}

/** The worst reason of one member in a few words. */
function whyCell(blockers: readonly Blocker[], paint: Paint): string {
  const [first] = blockers;
  if (first === undefined) return '';
  const more = blockers.length > 1 ? paint('dim', ` (+${blockers.length - 1})`) : '';
  return `${first.kind}: ${subjectOf(first)}${more}`;
}

function memberRow(member: MemberReport, own: readonly Blocker[], paint: Paint): string[] {
  const cells = [member.address, member.id, shortClass(member.description)];
  const driver = member.driver ?? paint('dim', '-');
  const why = own.filter((blocker) => blocker.address === member.address);
  return [...cells, driver, whyCell(why, paint)];
}

function groupRows(group: GroupReport, report: MachineReport, paint: Paint): readonly string[][] {
  const { own, wide } = splitBlockers(group, report.machineBlockers);
  return group.members.map((member, index) => {
    const row = memberRow(member, own, paint);
    if (index > 0) return ['', '', '', ...row];
    const [first] = wide;
    if (own.length === 0 && first !== undefined) row[row.length - 1] = paint('dim', first.kind);
    return [String(group.group), group.owner, statusCell(group, own, paint), ...row];
  });
}

const columns = [
  ...[{ heading: 'GROUP' }, { heading: 'OWNER' }, { heading: 'RELEASE' }, { heading: 'DEVICE' }],
  ...[{ heading: 'ID' }, { heading: 'CLASS' }, { heading: 'DRIVER' }, { heading: 'WHY NOT' }],
];

/** Numbers in order, neighbours joined: `2, 4-11, 23`. */
export function rangesText(numbers: readonly number[]): string {
  const runs: { from: number; to: number }[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && number === last.to + 1) last.to = number;
    else runs.push({ from: number, to: number });
  }
  return runs.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function tableOf(report: MachineReport, { paint, width, all }: MachineView): readonly string[] {
  const left = all ? [] : report.groups.filter(isBridgesOnly);
  const shown = report.groups.filter((group) => !left.includes(group));
  const rows = shown.flatMap((group) => groupRows(group, report, paint));
  const table = tableLines(columns, rows, 2);
  const lines = [
    '',
    ...(width === null ? table : table.map((line) => cutToWidth(line, width))),
    '',
  ];
  if (left.length > 0) {
    const groups = left.length === 1 ? 'group holds' : 'groups hold';
    const numbers = rangesText(left.map((group) => group.group));
    lines.push(
      paint(
        'dim',
        `${left.length} more ${groups} bridges only (${numbers}): nothing to hand out; --all lists them.`,
      ),
    );
  }
  lines.push(
    paint('dim', '"wholegroup explain ADDRESS" tells every reason for one device, and what to do.'),
  );
  return lines;
}

/** The whole report; a machine without an IOMMU ends with `advice`. */
export function machineLines(
  report: MachineReport,
  advice: readonly string[],
  view: MachineView,
): readonly string[] {
  const { paint } = view;
  const lines = [...headingLines(report, paint), ...missingLines(report, paint)];
  if (report.groups.length > 0) lines.push(...tableOf(report, view));
  if (report.unreadable.length > 0) lines.push('');
  for (const { path, why } of report.unreadable) {
    lines.push(paint('bad', `could not read ${path}: ${why}; what it holds counts as in use`));
  }
  return advice.length === 0 ? lines : [...lines, '', ...advice];
}
