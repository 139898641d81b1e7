// Log lines for people: `05:17:08.123 info  group phase changed leader=0000:65:00.0 to=Claimed`.
import type { DestinationStream } from 'pino';

const colours: Readonly<Record<string, number>> = { debug: 90, info: 32, warn: 33, error: 31 };

function plainValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** The line for people of one JSON line; a line that is not JSON is given as it is. */
export function prettyLine(json: string, colour: boolean): string {
  let line: Readonly<Record<string, unknown>>;
  try {
    line = JSON.parse(json) as Readonly<Record<string, unknown>>;
  } catch {
    return json;
  }
  const { level, time, msg, ...fields } = line;
  const paint = (code: number, text: string): string =>
    colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  const clockTime = String(time).slice(11, 23);
  const rest = Object.entries(fields).map(
    ([name, value]) => paint(36, `${name}=`) + plainValue(value),
  );
  const label = paint(colours[String(level)] ?? 0, String(level).padEnd(5));
  return `${[paint(90, clockTime), label, String(msg), ...rest].join(' ')}\n`;
}

/** A stream that writes JSON lines to `stream` in the form for people. */
export function prettyLines(stream: DestinationStream, colour: boolean): DestinationStream {
  return { write: (json) => stream.write(prettyLine(json, colour)) };
}
