// Which actor may take a function: surveys tell actors apart by what is recorded, but between two surveys policies
// change, and two actors may want one group under two leaders before either has a record.
import type { PciAddress } from '../pci/address.ts';

/** Functions that are recorded or about to be, each by the leader of one actor. Kept by the agent for all its actors. */
export class Reservations {
  readonly #leaders = new Map<PciAddress, PciAddress>();

  /**
   * Reserves `members` for the actor of `leader`, in place of what it had reserved before. Null: done; otherwise the
   * leader that has one of them, and nothing changes.
   */
  take(leader: PciAddress, members: readonly PciAddress[]): PciAddress | null {
    for (const member of members) {
      const other = this.#leaders.get(member);
      if (other !== undefined && other !== leader) return other;
    }
    this.release(leader);
    for (const member of members) this.#leaders.set(member, leader);
    return null;
  }

  /** Gives up what the actor of `leader` had reserved. */
  release(leader: PciAddress): void {
    for (const [member, holder] of this.#leaders) {
      if (holder === leader) this.#leaders.delete(member);
    }
  }
}
