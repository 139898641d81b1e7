// Tables as kubectl prints them: upper-case headings, columns three blanks apart, no lines.
import { visibleWidth } from './paint.ts';

/** A column: its heading, and how wide it may grow before its text is cut (null: no limit). */
export interface Column {
  readonly heading: string;
  readonly maxWidth?: number;
}

function cut(text: string, maxWidth: number | undefined): string {
  if (maxWidth === undefined || visibleWidth(text) <= maxWidth) return text;
  return `${text.slice(0, maxWidth - 1)}…`;
}

/** Lines of a table. Cells may carry colour codes; the last column is not padded. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
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
      .join('   ')
      .trimEnd(),
  );
}
