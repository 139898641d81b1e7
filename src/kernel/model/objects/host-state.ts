// What user space has set up on the running machine and the kernel would show in /proc and /sys: mounts,
// swap, routes. State only; surroundings/ renders it, the control surface changes it.
import type { MachineSpec, MountSpec } from '../spec.ts';

/** One route of the main table. */
export type RouteState = MachineSpec['routes'][number];

/** Everything that is set up now. Fields are replaced, never changed in place. */
export interface HostState {
  mounts: readonly MountSpec[];
  /** Block or stacked names in use as swap; a name whose device is gone stays, as in the kernel. */
  swaps: readonly string[];
  routes: readonly RouteState[];
}

/** What a machine boots with. */
export function hostStateOf(spec: MachineSpec): HostState {
  return { mounts: spec.mounts, swaps: spec.swaps, routes: spec.routes };
}
