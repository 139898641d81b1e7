// What a bench gives: numbers, each with its floor and its target, and how samples become one number. Nothing is
// measured here.
import type { TreeRoots } from './tree.ts';

/** One line of the table. */
export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'µs' | 'MB' | '%' | 'writes';
  /** The least this could be on this machine, measured in the same run; null: none is known. */
  readonly floor: { readonly what: string; readonly value: number } | null;
  /** What must hold: the value itself, or its ratio to the floor, is at most `max`. Null: told, not judged. */
  readonly target: { readonly of: 'value' | 'ratio'; readonly max: number } | null;
  /** How the number came about: samples, sizes. */
  readonly how: string;
}

/** How much time a bench may take, and where it says what it is doing. */
export interface BenchContext {
  /** Fewer samples: to see that a bench works, not to judge by. */
  readonly quick: boolean;
  readonly say: (text: string) => void;
  /** A machine of so many functions as files on tmpfs; written once, shared: whoever changes it puts it back. */
  readonly tree: (functions: number) => Promise<TreeRoots>;
}

/** One bench, in a file of its own. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  /** Takes minutes, or needs what is built first: left out unless --only names it. */
  readonly onlyByName?: boolean;
  run(context: BenchContext): Promise<readonly Measure[]>;
}

/** Functions of a made machine that has 64 groups with a graphics card. */
export const functionsOf64Groups = 320;

/** Value over floor; null without a floor. */
export function ratioOf({ value, floor }: Measure): number | null {
  return floor === null || floor.value === 0 ? null : value / floor.value;
}

/** Whether the target is met; null: there is none. */
export function isMet(measure: Measure): boolean | null {
  const { target, value } = measure;
  if (target === null) return null;
  const judged = target.of === 'value' ? value : ratioOf(measure);
  return judged !== null && judged <= target.max;
}

/** The smallest sample that `fraction` of all samples do not exceed (nearest rank). */
export function percentile(samples: readonly number[], fraction: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)];
  if (value === undefined) throw new Error('a percentile of no samples');
  return value;
}

/** The middle sample. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** Milliseconds that `work` took. */
export async function timed(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Waits until `ready` holds; throws with `what` after `limitMs`. */
export async function until(what: string, ready: () => boolean, limitMs = 30_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!ready()) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(5);
  }
}
