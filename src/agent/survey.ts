// One look at the whole node: facts, inventory, which policy wants what, and a close look at every group
// that anybody wants or that is ours. Reads only; what it finds goes to the actors.
import { valueOr } from '../base/known.ts';
import type { Host } from '../host/host.ts';
import type { GroupLook } from '../ownership/look.ts';
import type { GroupRecord } from '../ownership/record.ts';
import type { PassthroughPolicy } from '../policy/policy.ts';
import type { PciAddress } from '../pci/address.ts';
import { type GroupKey, pciFunctions } from '../pci/group.ts';
import type { Inventory, NodeFacts } from '../pci/inventory.ts';
import { assignGroups, type Assignment } from './assign.ts';
import type { Seen } from './state.ts';

/** What a survey starts from. */
export interface SurveyInput {
  readonly host: Host;
  /** The inventory read last, when nothing says that it has changed: then only groups that anybody wants or that are ours are read anew. */
  readonly unchanged: Inventory | null;
  readonly policies: readonly PassthroughPolicy[];
  readonly records: readonly GroupRecord[];
  /** Leaders of quarantined records. */
  readonly quarantined: readonly PciAddress[];
  readonly cordons: ReadonlyMap<PciAddress, string>;
  /** Members with a step blocked in the kernel: their locked attributes are not read. */
  readonly skipLocked: ReadonlySet<PciAddress>;
  readonly order: number;
  /** The boot id read last, for when it cannot be read now. */
  readonly lastBootId: string | null;
}

/** What a survey found. */
export interface Survey {
  readonly facts: NodeFacts;
  readonly inventory: Inventory;
  /** The boot id, as it was read last; null while it never could be. */
  readonly bootId: string | null;
  /** For each leader what its actor is told; left out where absence proves nothing because a folder was unreadable. */
  readonly seen: ReadonlyMap<PciAddress, Seen>;
}

/** Looks at the node. Never throws for what the machine answers. */
export async function survey(input: SurveyInput): Promise<Survey> {
  const { host } = input;
  const facts = await host.facts();
  const inventory = await takeInventory(input);
  const bootId = valueOr(facts.bootId, input.lastBootId);
  const assignments = assigned(input, inventory);
  const keys = [...new Set(assignments.flatMap(({ groups }) => groups.map((group) => group.key)))];
  const looks = await host.look(inventory, keys, { skipLocked: input.skipLocked });
  const byKey = new Map<GroupKey, GroupLook>(looks.map((look) => [look.group.key, look]));
  const seen = new Map<PciAddress, Seen>();
  for (const assignment of assignments) {
    const look = lookOf(assignment, byKey);
    if (look === null && inventory.unreadable.length > 0) continue;
    seen.set(assignment.leader, {
      order: input.order,
      look,
      split: assignment.groups.length > 1,
      node: facts,
      bootId,
      match: assignment.matched.match,
      passed: assignment.matched.passed,
      cordoned: input.cordons.get(assignment.leader) ?? null,
    });
  }
  return { facts, inventory, bootId, seen };
}

function takeInventory(input: SurveyInput): Promise<Inventory> {
  const { host, unchanged } = input;
  if (unchanged === null) return host.inventory();
  const wanted = assigned(input, unchanged)
    .flatMap(({ groups }) => groups.flatMap(pciFunctions))
    .map((fn) => fn.address);
  const ours = input.records.flatMap((record) => record.members.map((member) => member.address));
  const anew = [...ours, ...input.quarantined];
  return host.inventory({ previous: unchanged, anew, again: wanted });
}

function assigned(input: SurveyInput, { groups }: Inventory): readonly Assignment[] {
  return assignGroups(groups, input.records, input.policies, input.quarantined);
}

function lookOf(assignment: Assignment, looks: ReadonlyMap<GroupKey, GroupLook>): GroupLook | null {
  // Of a split group the part with the leader speaks for it; situation and view are told that it is split.
  const holdsLeader = assignment.groups.find((group) => group.key.includes(assignment.leader));
  const group = holdsLeader ?? assignment.groups[0];
  return group === undefined ? null : (looks.get(group.key) ?? null);
}
