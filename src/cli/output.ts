// Where a command writes and in which form; the only things a command may know of the process.
import { stringify } from 'yaml';
import type { Paint } from './render/paint.ts';

/** Forms of output. */
export const outputForms = ['table', 'json', 'yaml'] as const;

/** One of the forms. */
export type OutputForm = (typeof outputForms)[number];

/** The streams of a command. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A person looks at the output now: live tables and keys make sense. */
  readonly interactive: boolean;
  /** Standard output is a terminal: tables are cut to its width. */
  readonly isTerminal: boolean;
  /** Columns of the terminal; 100 when piped. */
  readonly columns: () => number;
  readonly paint: Paint;
}

/** Prints data in a machine form, or the lines that a person reads. */
export function print(
  streams: Streams,
  form: OutputForm,
  data: unknown,
  lines: () => readonly string[],
): void {
  switch (form) {
    case 'json':
      streams.out(`${JSON.stringify(data, null, 2)}\n`);
      return;
    case 'yaml':
      streams.out(stringify(data));
      return;
    case 'table':
      for (const line of lines()) streams.out(`${line}\n`);
  }
}
