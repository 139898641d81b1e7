// The functions of a group as aligned cells: the same in a tree and in an explanation.
import type { TreeGroup } from '../../../kubectl/tree.ts';
import { type Paint, visibleWidth } from '../../render/paint.ts';

function driverText({
  driver,
  originalDriver,
  vfioDevice,
}: TreeGroup['functions'][number]): string {
  const now = driver ?? 'no driver';
  const file = vfioDevice === undefined ? '' : ` ${vfioDevice}`;
  const before =
    originalDriver === undefined || originalDriver === driver ? '' : ` (was ${originalDriver})`;
  return `${now}${file}${before}`;
}

/** A line for each function. The one that was asked for is strong. */
export function functionLines(
  functions: TreeGroup['functions'],
  paint: Paint,
  asked: string | null = null,
): readonly string[] {
  const rows = functions.map((fn) => [
    fn.address === asked ? paint('strong', fn.address) : fn.address,
    fn.vendor === undefined ? '' : `${fn.vendor}:${fn.device ?? ''}`,
    fn.description ?? '',
    driverText(fn),
    fn.role === 'primary' ? fn.role : paint('dim', fn.role),
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(0, ...rows.map((row) => visibleWidth(row[column] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map(
        (cell, column) =>
          cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - visibleWidth(cell))),
      )
      .filter((_, column) => column > 3 || (widths[column] ?? 0) > 0)
      .join('  ')
      .trimEnd(),
  );
}
