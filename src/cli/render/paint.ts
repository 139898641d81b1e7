// Colours for a terminal, and nothing for a pipe.

/** A style by meaning, not by colour. */
export type Style = 'good' | 'bad' | 'busy' | 'ours' | 'dim' | 'strong' | 'title';

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  good: [32, 39],
  bad: [31, 39],
  busy: [33, 39],
  ours: [36, 39],
  dim: [2, 22],
  strong: [1, 22],
  title: [1, 22],
};

/** Puts a style on a text. */
export type Paint = (style: Style, text: string) => string;

/** Leaves texts as they are. */
export const plain: Paint = (_style, text) => text;

/** Paints with ANSI codes. */
export const ansi: Paint = (style, text) => {
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
};

/** Colours on a terminal that wants them (NO_COLOR and TERM=dumb are respected; FORCE_COLOR overrides). */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return ansi;
  if (env['NO_COLOR'] !== undefined || env['TERM'] === 'dumb') return plain;
  return stream.isTTY === true ? ansi : plain;
}

// oxlint-disable-next-line no-control-regex -- escape codes begin with one
const escapes = /\u001b\[[0-9;]*m/g;
const resetAll = '\u001b[0m';

/** Columns a text takes on the screen: without its colour codes. */
export function visibleWidth(text: string): number {
  return text.replaceAll(escapes, '').length;
}

/** A line cut to `width` columns with an ellipsis at its end; colour codes take no column and are closed. */
export function cutToWidth(line: string, width: number): string {
  if (visibleWidth(line) <= width) return line;
  let kept = '';
  let columns = 0;
  let from = 0;
  for (const escape of [...line.matchAll(escapes), null]) {
    const text = line.slice(from, escape?.index ?? line.length);
    const room = Math.max(0, width - 1 - columns);
    kept += text.slice(0, room);
    columns += Math.min(text.length, room);
    if (columns >= width - 1) break;
    kept += escape?.[0] ?? '';
    from = (escape?.index ?? 0) + (escape?.[0].length ?? 0);
  }
  return `${kept}${kept.includes('\u001b') ? resetAll : ''}…`;
}
