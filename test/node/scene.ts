// One thing that a node is held to.
import type { NodeStage } from './node-stage.ts';

/** A scene. It leaves the node as it found it. */
export interface Scene {
  readonly name: string;
  /** Why it is not played on a kernel, by the kernel's name. */
  readonly skip?: Readonly<Record<string, string>>;
  readonly play: (at: NodeStage) => Promise<void>;
}
