// One scene of the flow: what is done to a node inside a guest, and what must come of it.
import type { FlowMachine } from './machine.ts';

/** Figures that a scene measured, by name; they are printed beside its result. */
export type Figures = Readonly<Record<string, number | string>>;

/** A scene throws what is wrong. It finds every group with the host, and leaves it so; an agent may run. */
export interface Scene {
  readonly name: string;
  /** Kernels on which Linux itself cannot do it, with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
  readonly run: (machine: FlowMachine) => Promise<Figures>;
}

/** What came of one. */
export interface SceneResult {
  readonly name: string;
  /** Null: all was well. */
  readonly problem: string | null;
  readonly figures: Figures;
  readonly tookMs: number;
}
