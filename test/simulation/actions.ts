// What can happen in a world, as data: chosen at random, printed, replayed, left out when a failing run is
// shrunk. perform.ts makes it happen.
import type { Random } from '../../src/base/random.ts';
import { resourceNames } from './policies.ts';

/** One thing that happens. */
export type Action =
  | { readonly kind: 'wait'; readonly ms: number }
  | {
      readonly kind: 'createPod';
      readonly resource: string;
      readonly count: number;
      readonly shape: 'plain' | 'crashing' | 'job' | 'init';
    }
  | {
      readonly kind: 'deletePod';
      readonly index: number;
      readonly graceMs: number;
      readonly force: boolean;
    }
  | { readonly kind: 'restartKubelet'; readonly downMs: number }
  | { readonly kind: 'killAgent' }
  | { readonly kind: 'doomAgent'; readonly after: number; readonly done: boolean }
  | { readonly kind: 'startAgent' }
  | { readonly kind: 'reboot'; readonly renumber: boolean }
  | { readonly kind: 'hangUnbind'; readonly device: number }
  | { readonly kind: 'failProbe'; readonly device: number }
  | { readonly kind: 'failReset'; readonly device: number }
  | { readonly kind: 'stealer'; readonly device: number }
  | { readonly kind: 'loseHints' }
  | { readonly kind: 'blindStorage'; readonly path: string }
  | { readonly kind: 'blindDevice'; readonly device: number; readonly file: string }
  | { readonly kind: 'healFaults' }
  | { readonly kind: 'link'; readonly index: number; readonly up: boolean }
  | { readonly kind: 'mount'; readonly index: number }
  | { readonly kind: 'unmount'; readonly index: number }
  | { readonly kind: 'swap'; readonly index: number; readonly on: boolean }
  | { readonly kind: 'foreignOpen'; readonly device: number }
  | { readonly kind: 'foreignClose' }
  | { readonly kind: 'unplug'; readonly device: number }
  | { readonly kind: 'plug' }
  | { readonly kind: 'refuseRecords'; readonly on: boolean }
  | { readonly kind: 'policies'; readonly seed: number }
  | { readonly kind: 'cordon'; readonly device: number; readonly on: boolean };

/** Chances of the kinds, per mille of their sum. */
const weights: readonly (readonly [weight: number, make: (random: Random) => Action])[] = [
  [160, (r) => ({ kind: 'wait', ms: r.pick([1, 20, 300, 2_000, 12_000, 40_000]) })],
  [
    200,
    (r) => ({
      kind: 'createPod',
      resource: r.pick(resourceNames),
      count: r.pick([1, 1, 1, 2]),
      shape: r.pick(['plain', 'plain', 'crashing', 'job', 'init']),
    }),
  ],
  [
    150,
    (r) => ({
      kind: 'deletePod',
      index: r.below(8),
      graceMs: r.pick([0, 0, 1_000, 30_000]),
      force: r.chance(0.15),
    }),
  ],
  [25, (r) => ({ kind: 'restartKubelet', downMs: r.pick([0, 500, 20_000]) })],
  [25, () => ({ kind: 'killAgent' })],
  [
    90,
    (r) => ({ kind: 'doomAgent', after: r.below(r.pick([20, 200, 2_000])), done: r.chance(0.5) }),
  ],
  [60, () => ({ kind: 'startAgent' })],
  [12, (r) => ({ kind: 'reboot', renumber: r.chance(0.5) })],
  [20, (r) => ({ kind: 'hangUnbind', device: r.below(64) })],
  [20, (r) => ({ kind: 'failProbe', device: r.below(64) })],
  [10, (r) => ({ kind: 'failReset', device: r.below(64) })],
  [15, (r) => ({ kind: 'stealer', device: r.below(64) })],
  [10, () => ({ kind: 'loseHints' })],
  [10, (r) => ({ kind: 'blindStorage', path: r.pick(['/proc/1/mountinfo', '/proc/swaps']) })],
  [
    12,
    (r) => ({
      kind: 'blindDevice',
      device: r.below(64),
      file: r.pick(['vendor', 'class', 'enable', 'driver_override', 'config']),
    }),
  ],
  [50, () => ({ kind: 'healFaults' })],
  [40, (r) => ({ kind: 'link', index: r.below(16), up: r.chance(0.4) })],
  [20, (r) => ({ kind: 'mount', index: r.below(16) })],
  [25, (r) => ({ kind: 'unmount', index: r.below(16) })],
  [15, (r) => ({ kind: 'swap', index: r.below(16), on: r.chance(0.4) })],
  [20, (r) => ({ kind: 'foreignOpen', device: r.below(64) })],
  [25, () => ({ kind: 'foreignClose' })],
  [12, (r) => ({ kind: 'unplug', device: r.below(64) })],
  [15, () => ({ kind: 'plug' })],
  [20, (r) => ({ kind: 'refuseRecords', on: r.chance(0.3) })],
  [15, (r) => ({ kind: 'policies', seed: r.below(1_000_000) })],
  [12, (r) => ({ kind: 'cordon', device: r.below(64), on: r.chance(0.5) })],
];

const weightSum = weights.reduce((sum, [weight]) => sum + weight, 0);

/** The next thing that happens. */
export function chooseAction(random: Random): Action {
  let at = random.below(weightSum);
  for (const [weight, make] of weights) {
    at -= weight;
    if (at < 0) return make(random);
  }
  return { kind: 'wait', ms: 1 };
}
