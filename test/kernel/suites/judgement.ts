// The suites of kernels by name, and what they consist of.
import type { TestContext } from 'node:test';
import type { KernelTree, Rig } from '../rig/rig.ts';
import type { KernelName } from '../rig/wanted.ts';

/** A boot of one kernel, or two, and what it is held to: a test, with tests of its own where it answers for several things. */
export interface Judgement {
  readonly kernel: KernelName;
  /** Without the kernel. */
  readonly title: string;
  /** Boots and judges; throws what differs. */
  readonly play: (t: TestContext, kernel: KernelTree) => Promise<void>;
}

/** The suites in the order in which they begin: the longest boots first, so that no core is idle at the end. */
export const suiteNames = ['flow', 'uses', 'refusals', 'random', 'transcripts'] as const;

/** One of them. */
export type SuiteName = (typeof suiteNames)[number];

/** What was asked for of a suite, the longest first where they differ. */
export type Suite = (rig: Rig) => readonly Judgement[];
