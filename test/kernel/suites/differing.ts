// Where two runs of one script part: the first line that differs, with the lines before it.

const shownBefore = 6;
const shownAfter = 3;

/** A text that shows where `actual` leaves `expected`, or null when they are the same. */
export function firstDifference(
  actual: readonly string[],
  expected: readonly string[],
): string | null {
  const length = Math.max(actual.length, expected.length);
  let at = 0;
  while (at < length && actual[at] === expected[at]) at += 1;
  if (at === length) return null;
  const before = expected.slice(Math.max(0, at - shownBefore), at).map((line) => `  ${line}`);
  const was = actual.slice(at, at + shownAfter).map((line) => `+ ${line}`);
  const should = expected.slice(at, at + shownAfter).map((line) => `- ${line}`);
  return [`line ${at + 1} differs (+ here, - expected)`, ...before, ...was, ...should].join('\n');
}
