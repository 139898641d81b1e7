// Markdown as the generated pages use it.

/** A cell of a table: Markdown has no other escape for the bar. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** A table; the bar is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** A page with its title, the note where it comes from, and its parts. */
export function page(title: string, source: string, ...parts: readonly string[]): string {
  const note = `<!-- Made from ${source} by \`npm run gen\`. Do not edit. -->`;
  return `${[`# ${title}`, note, ...parts].join('\n\n')}\n`;
}
