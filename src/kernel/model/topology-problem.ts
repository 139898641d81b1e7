// What is wrong with a topology file: the path of a field and what is allowed there, as texts for people.
import type { z } from 'zod';

/** One thing that is wrong. */
export interface TopologyProblem {
  /** Path of the field (`devices."0000:01:00.0".id`); empty for the file as a whole. */
  readonly field: string;
  /** What stands there and what is allowed. */
  readonly message: string;
}

/** A path as it is written in messages: names with other characters than letters and digits in quotes. */
export function fieldPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else {
      const word = String(part);
      const shown = /^\w+$/.test(word) ? word : `"${word}"`;
      text += text === '' ? shown : `.${shown}`;
    }
  }
  return text;
}

/** The problems that zod found; the innermost ones where it reports a union or a bad key. */
export function problemsOf(error: z.ZodError): readonly TopologyProblem[] {
  return error.issues.map((issue) => {
    const inner = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
    return {
      field: fieldPath(issue.path),
      message: inner === undefined ? issue.message : `key ${inner}`,
    };
  });
}

/** One line for each problem: file, field, what is wrong. At most 20 lines; the rest is counted. */
export function problemText(file: string, problems: readonly TopologyProblem[]): string {
  const lines = problems
    .slice(0, 20)
    .map(({ field, message }) => `${file}: ${field === '' ? '' : `${field}: `}${message}`);
  if (problems.length > 20) lines.push(`${file}: and ${problems.length - 20} more`);
  return lines.join('\n');
}
