// The node as the agent sees it: inventory, close looks, and one step at a time. All through KernelFs.
import type { Known } from '../base/known.ts';
import type { Inventory, NodeFacts } from '../pci/inventory.ts';
import type { GroupKey } from '../pci/group.ts';
import type { Changes, Fingerprint } from '../pci/changes.ts';
import type { PciAddress } from '../pci/address.ts';
import type { GroupLook } from '../ownership/look.ts';
import type { Step, StepOutcome } from '../ownership/step.ts';
import type { Inside } from '../ownership/use.ts';

/** Device files of a taken group, as they are named on the host now. */
export interface VfioNodes {
  /** /dev/vfio/N; null while the node is not there. */
  readonly group: string | null;
  /** /dev/vfio/devices/vfioX of every member that has one. */
  readonly devices: readonly { readonly address: PciAddress; readonly path: string }[];
}

/** An inventory since which no fingerprint differed, and what is not to be taken from it. Nothing in it is unreadable. */
export interface KnownInventory {
  readonly previous: Inventory;
  /** Functions that are read anew, with the groups in which they stand or stood. */
  readonly anew: readonly PciAddress[];
  /**
   * Functions of which the attributes are read again: they change, or stop to be readable, without any event. Of those
   * that no uevent can have replaced, only such as do.
   */
  readonly again: readonly PciAddress[];
}

/** The node. Every call may be made again at any time; reads have no effect. */
export interface Host {
  /** Facts about the machine; cheap enough to ask again after a hint. */
  facts(): Promise<NodeFacts>;
  /** Every function and group, by reads that take no device lock; with `known`, only what may be different since. */
  inventory(known?: KnownInventory): Promise<Inventory>;
  /**
   * Close looks at some groups of one inventory, in their order. Uses of all of them are searched in one pass
   * (/proc is walked once). `skipLocked`: addresses with an operation pending in the kernel, whose
   * lock-taking attributes are not read and become unknown.
   */
  look(
    inventory: Inventory,
    groups: readonly GroupKey[],
    options?: { readonly skipLocked?: ReadonlySet<PciAddress> },
  ): Promise<readonly GroupLook[]>;
  /**
   * Close looks at every group in which one of these functions stands now, reading only those groups and what
   * their uses need: for one actor, between two surveys. Functions that are gone are left out.
   */
  lookAt(
    members: readonly PciAddress[],
    options?: { readonly skipLocked?: ReadonlySet<PciAddress> },
  ): Promise<readonly GroupLook[]>;
  /**
   * Whether anybody is inside a group in which one of these functions stands now: what a close look tells of that, by
   * far fewer reads. For the last moment before something is taken from whoever might be there.
   */
  inside(members: readonly PciAddress[]): Promise<Inside>;
  /** `enable` of a function bound to VFIO: true when a user has it open. One read that takes no lock. */
  isOpen(address: PciAddress): Promise<Known<boolean>>;
  /** Cheap listings that differ when something may have changed; equal ones prove nothing. */
  fingerprint(): Promise<Fingerprint>;
  /** One step, with the state read before (unneeded?) and after (done?). */
  execute(step: Step): Promise<StepOutcome>;
  /** Today's device files of the members of a group. */
  vfioNodes(groupNumber: number, members: readonly PciAddress[]): Promise<Known<VfioNodes>>;
  /** Calls `listener` on hints that something changed, with where that may be. */
  changes(listener: (where: Changes) => void): { close(): void };
}
