// What the checker sees of one simulated world.
import type { Offers } from '../../src/policy/offers.ts';
import type { GroupRecord } from '../../src/ownership/record.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import type { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { OpenCall } from './lifeline.ts';
import type { RunningContainer } from './runtime.ts';

/** What the checker sees of the world. */
export interface Watched {
  readonly model: () => KernelModel;
  readonly nowMs: () => number;
  /** Records that are durable now. */
  readonly records: () => readonly GroupRecord[];
  /** Offers of the agent that lives; null while none does, or before it looked. */
  readonly offers: () => Offers | null;
  readonly containers: () => Iterable<RunningContainer>;
  readonly openCalls: () => Iterable<OpenCall>;
  /** How old a change must be before the agent has to have noticed it. */
  readonly lagMs: () => number;
  /** What cannot be read: a member's own files, or `storage` for what tells who uses disks. */
  readonly blind: () => ReadonlySet<PciAddress | 'storage'>;
  /** Members that were plugged, unplugged or unbound by the world itself since they were taken. */
  readonly disturbed: () => ReadonlySet<string>;
  /**
   * Strangers who came so lately that a machine which answers slowly cannot have told of them: between the agent's last
   * look and its write there is always a moment, and Linux has no call that does both.
   */
  readonly justCame: (pid: number) => boolean;
  /** When the world last pulled a function out; null: never. */
  readonly pulledAtMs: (address: PciAddress) => number | null;
}
