// One look at the whole node: facts, inventory, which policy wants what, and a close look at every group
// that anybody wants or that is ours. Reads only; what it finds goes to the actors.
import { valueOr } from '../base/known.ts';
import type { Host } from '../host/host.ts';
import type { GroupLook } from '../ownership/look.ts';
import type { GroupRecord } from '../ownership/record.ts';
import type { PassthroughPolicy } from '../policy/policy.ts';
import type { Changes } from '../pci/changes.ts';
import type { PciAddress } from '../pci/address.ts';
import { type GroupKey, pciFunctions } from '../pci/group.ts';
import type { Inventory, NodeFacts } from '../pci/inventory.ts';
import { assignGroups, type Assignment } from './assign.ts';
import type { Seen } from './state.ts';

/** How much a survey reads. */
export type SurveyScope =
  | { readonly kind: 'everything' }
  /** Nothing says that something has changed: only groups that anybody wants or that are ours are read anew. */
  | { readonly kind: 'wanted'; readonly before: Survey }
  /** What may have changed is known: the rest is as it was seen before. */
  | {
      readonly kind: 'changed';
      readonly before: Survey;
      readonly where: Extract<Changes, { kind: 'some' }>;
    };

/** What a survey starts from. */
export interface SurveyInput {
  readonly host: Host;
  readonly scope: SurveyScope;
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
  /** Leaders whose groups were not looked at: what is said of them in `seen` is what an earlier survey saw. */
  readonly asBefore: ReadonlySet<PciAddress>;
}

/** Looks at the node. Never throws for what the machine answers. */
export async function survey(input: SurveyInput): Promise<Survey> {
  const { host } = input;
  // Both at once; where the facts say that more has to be looked at than was thought, it is.
  const asked = wholeForLoneGroups(input.scope);
  const [facts, first] = await Promise.all([host.facts(), takeInventory(input, asked)]);
  const scope = wholeForNewFacts(asked, facts);
  const inventory = scope === asked ? first : await takeInventory(input, scope);
  const bootId = valueOr(facts.bootId, input.lastBootId);
  const assignments = assigned(input, inventory);
  const before = new Map<PciAddress, Seen>();
  for (const assignment of assignments) {
    const seen = seenBefore(scope, assignment);
    if (seen !== null) before.set(assignment.leader, seen);
  }
  const looked = assignments.filter(({ leader }) => !before.has(leader));
  const keys = [...new Set(looked.flatMap(({ groups }) => groups.map((group) => group.key)))];
  const looks = await host.look(inventory, keys, { skipLocked: input.skipLocked });
  const byKey = new Map<GroupKey, GroupLook>(looks.map((look) => [look.group.key, look]));
  const seen = new Map(before);
  for (const assignment of looked) {
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
  return { facts, inventory, bootId, seen, asBefore: new Set(before.keys()) };
}

/** A group that is new comes with its functions; of one that comes alone it cannot be told whose it is. */
function wholeForLoneGroups(scope: SurveyScope): SurveyScope {
  if (scope.kind !== 'changed') return scope;
  const { before, where } = scope;
  const known = new Set(before.inventory.groups.map((group) => group.number));
  const alone = where.functions.size === 0 && !where.groups.isSubsetOf(known);
  return alone ? { kind: 'everything' } : scope;
}

/** Facts about the machine count for every group: where they have changed, everything is looked at. */
function wholeForNewFacts(scope: SurveyScope, facts: NodeFacts): SurveyScope {
  if (scope.kind !== 'changed') return scope;
  const same = JSON.stringify(scope.before.facts) === JSON.stringify(facts);
  return same ? scope : { kind: 'everything' };
}

/**
 * What an earlier survey saw of these groups, where they are what they were: an inventory keeps the objects of functions
 * that it did not read again. Else null.
 */
function seenBefore(scope: SurveyScope, { leader, groups }: Assignment): Seen | null {
  if (scope.kind !== 'changed') return null;
  const seen = scope.before.seen.get(leader) ?? null;
  const [group, ...more] = groups;
  if (seen === null || seen.look === null || seen.split) return null;
  if (group === undefined || more.length > 0) return null;
  const { group: earlier } = seen.look;
  if (earlier.key !== group.key || earlier.number !== group.number) return null;
  const before = new Set(pciFunctions(earlier));
  return pciFunctions(group).every((fn) => before.has(fn)) ? seen : null;
}

function takeInventory(input: SurveyInput, scope: SurveyScope): Promise<Inventory> {
  const { host } = input;
  switch (scope.kind) {
    case 'everything':
      return host.inventory();
    case 'wanted': {
      const previous = scope.before.inventory;
      const wanted = assigned(input, previous)
        .flatMap(({ groups }) => groups.flatMap(pciFunctions))
        .map((fn) => fn.address);
      const ours = input.records.flatMap((record) => record.members.map((each) => each.address));
      return host.inventory({ previous, anew: [...ours, ...input.quarantined], again: wanted });
    }
    case 'changed': {
      const previous = scope.before.inventory;
      const { functions, groups } = scope.where;
      const named = previous.groups
        .filter((group) => groups.has(group.number))
        .flatMap((group) => pciFunctions(group).map((fn) => fn.address));
      return host.inventory({ previous, anew: [...functions, ...named], again: [] });
    }
  }
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
