// The tree as lines: on a terminal a box around every group in the colour of its state, because a group goes whole or
// not at all; in a pipe indented text without colours.
import { groupStates, type GroupState } from '../../../kubectl/group-state.ts';
import { podText } from '../../../kubectl/group-facts.ts';
import type { ClusterTree, TreeGroup, TreeNode } from '../../../kubectl/tree.ts';
import { cutToWidth, type Paint, type Style, visibleWidth } from '../../render/paint.ts';
import { ageText } from './age.ts';
import { functionLines } from './functions.ts';

/** How the lines are wanted. */
export interface TreeView {
  readonly paint: Paint;
  /** Columns of the terminal, for boxes; null: plain text. */
  readonly width: number | null;
  readonly nowMs: number;
}

const styles: Readonly<Record<GroupState, Style>> = {
  assigned: 'ours',
  offered: 'good',
  moving: 'busy',
  blocked: 'bad',
  faulted: 'bad',
  idle: 'dim',
  unreported: 'dim',
};

/** A narrower terminal gets plain text: a box of which half is missing shows nothing. */
const boxColumnsMin = 60;

function countsText({ groups }: TreeNode): string {
  if (groups.length === 0) return 'no groups';
  const counted = groupStates.flatMap((state) => {
    const count = groups.filter((group) => group.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const total = groups.length === 1 ? '1 group' : `${groups.length} groups`;
  return `${total}: ${counted.join(', ')}`;
}

function nodeLine(node: TreeNode, paint: Paint): string {
  const kernel = node.kernelRelease === null ? [] : [`Linux ${node.kernelRelease}`];
  const ready =
    node.ready === 'True' ? [] : [paint('bad', `not ready: ${node.message || node.ready}`)];
  return [paint('strong', node.name), ...kernel, countsText(node), ...ready].join('  ');
}

/** Who has it, or what is wrong with it. */
function stateText(group: TreeGroup, { paint, nowMs }: TreeView): string {
  const style = styles[group.state];
  const since = group.since === null ? '' : ` for ${ageText(group.since, nowMs)}`;
  const held = group.pod === null ? '' : `${podText(group.pod)}${since}`;
  if (group.state === 'blocked' || group.state === 'faulted') {
    const why = group.why === '' ? group.state : `${group.state}: ${group.why}`;
    return [paint(style, why), held].filter(Boolean).join(', ');
  }
  if (group.state === 'unreported') return paint(style, group.why);
  return held === '' ? paint(style, group.state) : paint(style, held);
}

/** The parts of a group's heading. */
function headingOf(group: TreeGroup, view: TreeView): readonly string[] {
  const { leader, groupNumber, resourceName, owner, phase, name } = group;
  if (phase === null) return [view.paint('strong', name), stateText(group, view)];
  return [
    view.paint('strong', leader),
    groupNumber === null ? 'not on the machine' : `group ${groupNumber}`,
    resourceName ?? 'not offered',
    ...(owner === null ? [] : [owner]),
    phase,
    stateText(group, view),
    ...(group.cordoned && group.why !== 'Cordoned' ? [view.paint('busy', 'cordoned')] : []),
  ];
}

function padded(text: string, width: number): string {
  const cut = cutToWidth(text, width);
  return cut + ' '.repeat(Math.max(0, width - visibleWidth(cut)));
}

function boxLines(group: TreeGroup, view: TreeView, inner: number): readonly string[] {
  const frame = (text: string): string => view.paint(styles[group.state], text);
  const heading = cutToWidth(headingOf(group, view).join(frame(' ─ ')), inner - 1);
  const rest = '─'.repeat(Math.max(0, inner - visibleWidth(heading) - 1));
  return [
    `${frame('╭─')} ${heading} ${frame(`${rest}╮`)}`,
    ...functionLines(group.functions, view.paint).map(
      (line) => `${frame('│')} ${padded(line, inner)} ${frame('│')}`,
    ),
    frame(`╰${'─'.repeat(inner + 2)}╯`),
  ];
}

function boxes(tree: ClusterTree, view: TreeView, width: number): readonly string[] {
  const groups = tree.nodes.flatMap((node) => node.groups);
  const texts = groups.flatMap((group) => [
    `${headingOf(group, view).join(' ─ ')} `,
    ...functionLines(group.functions, view.paint),
  ]);
  const inner = Math.min(width - 6, Math.max(40, ...texts.map(visibleWidth)));
  return tree.nodes.flatMap((node, index) => [
    ...(index === 0 ? [] : ['']),
    cutToWidth(nodeLine(node, view.paint), width),
    ...node.groups.flatMap((group) => boxLines(group, view, inner).map((line) => `  ${line}`)),
  ]);
}

function indented(tree: ClusterTree, view: TreeView): readonly string[] {
  return tree.nodes.flatMap((node) => [
    nodeLine(node, view.paint),
    ...node.groups.flatMap((group) => [
      `  ${headingOf(group, view).join('  ')}`,
      ...functionLines(group.functions, view.paint).map((line) => `    ${line}`),
    ]),
  ]);
}

/** The tree. */
export function treeLines(tree: ClusterTree, view: TreeView): readonly string[] {
  return view.width !== null && view.width >= boxColumnsMin
    ? boxes(tree, view, view.width)
    : indented(tree, view);
}
