// Tables as kubectl prints them: upper-case headings, columns some blanks apart, no lines.
import { cutToWidth, visibleWidth } from './paint.ts';

/** A column: its heading, and how wide it may grow before its text is cut (null: no limit). */
export interface Column {
  readonly heading: string;
  readonly maxWidth?: number;
}

function cut(text: string, maxWidth: number | undefined): string {
  return maxWidth === undefined ? text : cutToWidth(text, maxWidth);
}

/** Lines of a table, columns `gap` blanks apart. Cells may carry colour codes; the last column is not padded. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  gap = 3,
): readonly string[] {
  const cells = rows.map((row) => columns.map((column, i) => cut(row[i] ?? '', column.maxWidth)));
  const headings = columns.map((column) => column.heading);
  const widths = columns.map((_, i) =>
    Math.max(...[headings, ...cells].map((row) => visibleWidth(row[i] ?? ''))),
  );
  return [headings, ...cells].map((row) =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        return i === columns.length - 1 ? cell : cell + ' '.repeat(width - visibleWidth(cell));
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}
