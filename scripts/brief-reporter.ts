// A reporter for node:test when nobody watches: a line for each file, what failed in full, what was skipped
// with its reason, and the runner's closing lines.
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

type Failure = Extract<TestEvent, { type: 'test:fail' }>['data'];

/** The error that the test threw; the runner wraps it into one of its own. */
function thrownBy(failure: Failure): unknown {
  const { error } = failure.details;
  return error.cause ?? error;
}

function failureText(failure: Failure): string {
  const where =
    failure.file === undefined ? '' : ` (${relative('', failure.file)}:${failure.line ?? 0})`;
  return `\n✖ ${failure.name}${where}\n${inspect(thrownBy(failure)).replaceAll(/^/gm, '    ')}\n\n`;
}

type Summary = Extract<TestEvent, { type: 'test:summary' }>['data'];

function fileText({ file, counts, success, duration_ms: durationMs }: Summary): string {
  if (file === undefined) return '';
  const seconds = (durationMs / 1000).toFixed(1);
  return `${success ? '✔' : '✖'} ${relative('', file)}: ${counts.passed} of ${counts.tests} (${seconds} s)\n`;
}

function skipText(name: string, skip: string | boolean | undefined): string {
  if (skip === undefined || skip === false) return '';
  return `﹣ skipped: ${name}: ${skip === true || skip === '' ? 'no reason given' : skip}\n`;
}

/** What one event adds to the output. Failures are kept to be told in full before the closing lines. */
function textOf(event: TestEvent, failures: string[]): string {
  switch (event.type) {
    case 'test:fail':
      if (event.data.details.type === 'suite') return '';
      failures.push(failureText(event.data));
      return `✖ ${event.data.name}\n`;
    case 'test:pass':
      return skipText(event.data.name, event.data.skip);
    case 'test:stderr':
    case 'test:stdout':
      return event.data.message;
    case 'test:summary':
      return fileText(event.data);
    case 'test:diagnostic':
      if (event.data.file !== undefined || event.data.nesting > 0) return '';
      return `${failures.splice(0).join('')}ℹ ${event.data.message}\n`;
    default:
      return '';
  }
}

/** The reporter. node:test wants it as the default export of a module. */
export default async function* briefReporter(
  source: AsyncIterable<TestEvent>,
): AsyncGenerator<string> {
  const failures: string[] = [];
  for await (const event of source) yield textOf(event, failures);
}
