// Times as kubectl prints them.

const [minute, hour, day, year] = [60, 3600, 86_400, 365 * 86_400];

/** Up to which age which unit is used, and with which second one: the steps of apimachinery's HumanDuration. */
const steps: readonly (readonly [below: number, unit: number, second: number | null])[] = [
  [2 * minute, 1, null],
  [10 * minute, minute, 1],
  [3 * hour, minute, null],
  [8 * hour, hour, minute],
  [2 * day, hour, null],
  [8 * day, day, hour],
  [2 * year, day, null],
  [8 * year, year, day],
  [Number.POSITIVE_INFINITY, year, null],
];

const letters = new Map([
  ...([
    [1, 's'],
    [minute, 'm'],
    [hour, 'h'],
    [day, 'd'],
    [year, 'y'],
  ] as const),
]);

/** How long ago, as kubectl says it: 45s, 9m5s, 12m, 5h, 3d, 2y. */
export function ageText(since: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(since)) / 1000));
  const step = steps.find(([below]) => seconds < below);
  if (step === undefined) return '<unknown>';
  const [, unit, second] = step;
  const rest = second === null ? 0 : Math.floor((seconds % unit) / second);
  const more = rest === 0 ? '' : `${rest}${letters.get(second ?? 1)}`;
  return `${Math.floor(seconds / unit)}${letters.get(unit)}${more}`;
}

/** A moment to the second, in UTC. */
export function momentText(at: string): string {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? at : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
