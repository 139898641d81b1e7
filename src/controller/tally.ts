// How many groups of the whole cluster each policy selects, offers and has out: kept by what each group changes, so
// that an event costs the same with one node and with five thousand.

/** What counts of one group. */
export interface GroupFacts {
  readonly node: string;
  /** The policy that has the group; null: none. */
  readonly policy: string | null;
  readonly offered: boolean;
  readonly assigned: boolean;
  readonly blocked: boolean;
  readonly faulted: boolean;
  /** Policies that select it too and go behind. */
  readonly outranked: readonly string[];
}

/** Counts of one policy. */
export interface PolicyCounts {
  readonly matched: number;
  readonly offered: number;
  readonly assigned: number;
  readonly blocked: number;
  readonly faulted: number;
  /** Groups of this policy by node. */
  readonly nodes: ReadonlyMap<string, { readonly matched: number; readonly offered: number }>;
  /** Names of these nodes in order: sorted when a node comes or goes, not with every change of a group. */
  readonly nodeNames: readonly string[];
  /** Nodes that offer at least one group. */
  readonly offeringNodes: number;
  /** Groups that another policy selects too, by its name. */
  readonly conflicts: ReadonlyMap<string, { readonly won: number; readonly lost: number }>;
}

interface Count {
  matched: number;
  offered: number;
  assigned: number;
  blocked: number;
  faulted: number;
  readonly nodes: Map<string, { matched: number; offered: number }>;
  /** Null: to be sorted anew. */
  names: readonly string[] | null;
  offeringNodes: number;
  readonly conflicts: Map<string, { won: number; lost: number }>;
}

function emptyCount(): Count {
  const numbers = { matched: 0, offered: 0, assigned: 0, blocked: 0, faulted: 0 };
  const none = { names: null, offeringNodes: 0 };
  return { ...numbers, ...none, nodes: new Map(), conflicts: new Map() };
}

/** Counts over all groups. */
export class Tally {
  readonly #groups = new Map<string, GroupFacts>();
  readonly #counts = new Map<string, Count>();
  readonly #byNode = new Map<string, Set<string>>();

  /** Says what a group is now; null: it is gone. Returns the policies of which counts have changed. */
  set(name: string, facts: GroupFacts | null): ReadonlySet<string> {
    const before = this.#groups.get(name);
    const touched = new Set<string>();
    // What comes is added before what was is taken away: a node does not go and come again with each change.
    if (facts !== null) this.#add(facts, 1, touched);
    if (before !== undefined) this.#add(before, -1, touched);
    this.#place(name, before?.node ?? null, facts?.node ?? null);
    if (facts === null) this.#groups.delete(name);
    else this.#groups.set(name, facts);
    return touched;
  }

  /** Counts of a policy; all zero for one that no group knows. */
  of(policy: string): PolicyCounts {
    const count = this.#counts.get(policy) ?? emptyCount();
    count.names ??= [...count.nodes.keys()].sort();
    return { ...count, nodeNames: count.names };
  }

  /** Names of the groups of a node. */
  ofNode(node: string): readonly string[] {
    return [...(this.#byNode.get(node) ?? [])];
  }

  #place(name: string, before: string | null, now: string | null): void {
    if (before !== null && before !== now) {
      const names = this.#byNode.get(before);
      names?.delete(name);
      if (names?.size === 0) this.#byNode.delete(before);
    }
    if (now === null) return;
    const names = this.#byNode.get(now) ?? new Set();
    this.#byNode.set(now, names.add(name));
  }

  #add(facts: GroupFacts, by: 1 | -1, touched: Set<string>): void {
    const { policy, outranked } = facts;
    if (policy !== null) this.#count(policy, touched, (count) => addWinner(count, facts, by));
    for (const loser of outranked) {
      this.#count(loser, touched, (count) => {
        count.matched += by;
        addNode(count, facts.node, by, 0);
        if (policy !== null) addConflict(count, policy, 0, by);
      });
    }
  }

  #count(policy: string, touched: Set<string>, change: (count: Count) => void): void {
    const count = this.#counts.get(policy) ?? emptyCount();
    change(count);
    touched.add(policy);
    if (count.matched === 0) this.#counts.delete(policy);
    else this.#counts.set(policy, count);
  }
}

function addWinner(count: Count, facts: GroupFacts, by: 1 | -1): void {
  count.matched += by;
  count.offered += facts.offered ? by : 0;
  count.assigned += facts.assigned ? by : 0;
  count.blocked += facts.blocked ? by : 0;
  count.faulted += facts.faulted ? by : 0;
  addNode(count, facts.node, by, facts.offered ? by : 0);
  for (const loser of facts.outranked) addConflict(count, loser, by, 0);
}

function addNode(count: Count, node: string, matched: number, offered: number): void {
  const there = count.nodes.get(node);
  const known = there ?? { matched: 0, offered: 0 };
  const offeredBefore = known.offered > 0;
  known.matched += matched;
  known.offered += offered;
  count.offeringNodes += Number(known.offered > 0) - Number(offeredBefore);
  if (known.matched === 0) count.nodes.delete(node);
  else count.nodes.set(node, known);
  if ((there === undefined) !== (known.matched === 0)) count.names = null;
}

function addConflict(count: Count, other: string, won: number, lost: number): void {
  const known = count.conflicts.get(other) ?? { won: 0, lost: 0 };
  known.won += won;
  known.lost += lost;
  if (known.won === 0 && known.lost === 0) count.conflicts.delete(other);
  else count.conflicts.set(other, known);
}
