// The demo's table: one line for each group that a policy wants.
import type { GroupView, Phase } from '../../agent/view.ts';
import { className } from '../../pci/class-names.ts';
import { type Paint, type Style, visibleWidth } from '../render/paint.ts';
import { tableLines } from '../render/table.ts';

const phaseStyle: Readonly<Record<Phase, Style>> = {
  WithHost: 'dim',
  Claiming: 'busy',
  Claimed: 'ours',
  Assigned: 'ours',
  Returning: 'busy',
  Faulted: 'bad',
};

function devicesText(view: GroupView): string {
  const endpoints = view.members.filter((member) => member.role !== 'bridge');
  const first = endpoints[0];
  if (first === undefined) return view.leader;
  const more = endpoints.length > 1 ? ` +${endpoints.length - 1}` : '';
  return `${view.leader}${more}  ${className(first.classCode)}`;
}

function driversText(view: GroupView): string {
  const drivers = view.members
    .filter((member) => member.role !== 'bridge')
    .map((member) => member.driver ?? '-');
  return [...new Set(drivers)].join(', ');
}

function offeredText(view: GroupView, paint: Paint): string {
  if (view.lease !== null) return paint('ours', view.lease.pod?.name ?? 'leased');
  if (view.resourceName === null) return paint('dim', 'no policy');
  return view.healthy ? paint('good', 'yes') : paint('bad', 'no');
}

function whyText(view: GroupView): string {
  const passed = view.passed[0];
  const note = passed === undefined ? '' : `${passed.policyName}: ${passed.message}`;
  if (view.lease !== null) return note;
  return view.why ?? note;
}

/** The lines of the table; `width` cuts the last column. */
export function groupLines(
  views: readonly GroupView[],
  paint: Paint,
  width: number | null,
): readonly string[] {
  const rows = views.map((view) => [
    String(view.groupNumber ?? '-'),
    devicesText(view),
    driversText(view),
    view.owner,
    paint(phaseStyle[view.phase], view.phase),
    offeredText(view, paint),
    whyText(view),
  ]);
  const headings = ['GROUP', 'DEVICES', 'DRIVERS', 'OWNER', 'PHASE', 'OFFERED', 'WHY'];
  const columns = headings.map((heading) => ({ heading }));
  if (width === null) return tableLines(columns, rows);
  const bare = tableLines(
    columns.slice(0, -1),
    rows.map((row) => row.slice(0, -1)),
  );
  const used = Math.max(...bare.map(visibleWidth)) + 3;
  return tableLines(
    [...columns.slice(0, -1), { heading: 'WHY', maxWidth: Math.max(10, width - used) }],
    rows,
  );
}
