// A history as a table, oldest first.
import type { HistoryEntry } from '../../../kubectl/history.ts';
import type { Paint } from '../../render/paint.ts';
import { tableLines } from '../../render/table.ts';
import { momentText } from './age.ts';

function noteOf({ note, count, lastAt }: HistoryEntry): string {
  const repeated = count === undefined ? '' : ` (${count} times, last ${momentText(lastAt ?? '')})`;
  return `${note.replaceAll(/\s+/g, ' ')}${repeated}`;
}

/** The lines. `complete`: false when Events may not be looked at. */
export function historyLines(
  entries: readonly HistoryEntry[],
  complete: boolean,
  paint: Paint,
): readonly string[] {
  const rows = entries.map((entry) => [
    ...[momentText(entry.at), entry.source],
    entry.type === 'Warning' ? paint('bad', entry.reason) : entry.reason,
    noteOf(entry),
  ]);
  const headings = ['TIME', 'FROM', 'REASON', 'NOTE'].map((heading) => ({ heading }));
  const missing = complete
    ? []
    : [paint('busy', 'Events may not be listed: they are missing here.')];
  return [...tableLines(headings, rows, 2), ...missing];
}
