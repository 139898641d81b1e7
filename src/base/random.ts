// Seeded randomness: the same seed gives the same run, on every machine.
import { assert } from './assert.ts';

/** A source of pseudo-random numbers with its whole state inside. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, bound). */
  below(bound: number): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
  /** One of `from`, which must not be empty. */
  pick<T>(from: readonly T[]): T;
  /** An independent stream, so that adding a draw in one place does not shift another. */
  fork(label: string): Random;
}

function mix(state: number, text: string): number {
  let h = state ^ 0x9e3779b9;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}

/** Mulberry32 started at `seed` (32 bits): small, fast and good enough to choose test actions. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    next,
    below,
    chance: (p) => next() < p,
    pick: (from) => {
      assert(from.length > 0, 'pick from an empty list');
      return from[below(from.length)] as (typeof from)[number];
    },
    fork: (label) => seededRandom(mix(seed, label)),
  };
}
