// The loop of the whole cluster: the status of every policy, and the objects of nodes that are gone. Nothing else: what
// happens on a node is its agent's.
import { parsePolicyObject, policyObjectOf, problemsText } from '../api/policy-in-force.ts';
import type { PolicyStatus } from '../api/passthrough-policy.ts';
import type { Clock } from '../base/clock.ts';
import type { ObjectsOf } from '../cluster/informer/objects-of.ts';
import type { WantedObject } from '../cluster/object-writer.ts';
import type { KubeObject, OwnerReference } from '../cluster/objects.ts';
import { policyStatus } from './policy-status.ts';
import { type GroupFacts, Tally } from './tally.ts';

/** An IOMMUGroup as it is kept. */
export interface KeptGroup extends KubeObject {
  readonly facts: GroupFacts;
}

/** A PassthroughNode as it is kept. */
export interface KeptNodeObject extends KubeObject {
  readonly node: string;
}

/** A policy object. */
export interface PolicyKubeObject extends KubeObject {
  readonly spec?: unknown;
  readonly status?: object;
}

/** What the controller is made from. */
export interface ControllerOptions {
  readonly clock: Clock;
  readonly policies: ObjectsOf<PolicyKubeObject>;
  readonly groups: ObjectsOf<KeptGroup>;
  readonly passthroughNodes: ObjectsOf<KeptNodeObject>;
  readonly nodes: ObjectsOf;
  readonly writer: {
    want(name: string, wanted: WantedObject | null): void;
    saw(name: string, live: PolicyKubeObject | null): void;
    forget(name: string): void;
  };
  /** Removes an object of a node that is gone. */
  readonly remove: (kind: 'groups' | 'passthroughNodes', object: KubeObject) => void;
}

type Labels = Readonly<Record<string, string>>;

/** What is kept of an IOMMUGroup: 40 000 of them are in memory. */
export function keptGroup(object: KubeObject): KeptGroup {
  const { metadata, status } = object as KubeObject & { readonly status?: LooseStatus };
  const { name, uid, resourceVersion, labels, ownerReferences } = metadata;
  const is = (type: string): boolean =>
    status?.conditions?.find((each) => each.type === type)?.status === 'True';
  return {
    metadata: { name, uid, resourceVersion } as KubeObject['metadata'],
    facts: {
      node: labels?.['wholegroup.dev/node'] ?? nodeOwner(ownerReferences) ?? '',
      policy: status?.policy ?? null,
      offered: is('Offered'),
      assigned: status?.phase === 'Assigned',
      blocked: (status?.blockers?.length ?? 0) > 0,
      faulted: status?.phase === 'Faulted',
      outranked: (status?.passed ?? [])
        .filter(({ reason }) => reason === 'Outranked')
        .map(({ policy }) => policy),
    },
  };
}

interface LooseStatus {
  readonly policy?: string;
  readonly phase?: string;
  readonly blockers?: readonly object[];
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  readonly passed?: readonly { readonly policy: string; readonly reason: string }[];
}

/** What is kept of a PassthroughNode: its name is that of the node. */
export function keptNodeObject({ metadata }: KubeObject): KeptNodeObject {
  const { name, uid, resourceVersion } = metadata;
  return { metadata: { name, uid, resourceVersion } as KubeObject['metadata'], node: name };
}

function nodeOwner(owners: readonly OwnerReference[] | undefined): string | undefined {
  return owners?.find(({ kind }) => kind === 'Node')?.name;
}

/** The controller. `begin` once the informers have synced; `close` at the end. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #tally = new Tally();
  readonly #statuses = new Map<string, PolicyStatus>();
  /** How many nodes each policy selects. */
  readonly #selected = new Map<string, number>();
  readonly #ends: (() => void)[] = [];
  #begun = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { policies, groups, nodes, passthroughNodes } = options;
    this.#ends.push(
      groups.onChange({
        added: (group) => this.#sawGroup(group),
        updated: (group) => this.#sawGroup(group),
        deleted: ({ metadata }) => this.#update(this.#tally.set(metadata.name, null)),
      }),
      policies.onChange({
        added: (policy) => this.#sawPolicy(policy),
        updated: (policy) => this.#sawPolicy(policy),
        deleted: ({ metadata }) => this.#policyGone(metadata.name),
      }),
      nodes.onChange({
        added: ({ metadata }) => this.#nodeLabelled(undefined, metadata.labels ?? {}),
        updated: (now, before) =>
          this.#nodeLabelled(before.metadata.labels ?? {}, now.metadata.labels ?? {}),
        deleted: ({ metadata }) => this.#nodeGone(metadata.name, metadata.labels ?? {}),
      }),
      passthroughNodes.onChange({ added: (object) => this.#judgeNodeObject(object) }),
    );
  }

  /** Writes from now on: every informer has synced, so that what is not there is really not there. */
  begin(): void {
    this.#begun = true;
    const { policies, groups, passthroughNodes } = this.#options;
    for (const policy of policies.values()) this.#sawPolicy(policy);
    for (const group of groups.values()) this.#judgeGroup(group);
    for (const object of passthroughNodes.values()) this.#judgeNodeObject(object);
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  #sawGroup(group: KeptGroup): void {
    this.#update(this.#tally.set(group.metadata.name, group.facts));
    this.#judgeGroup(group);
  }

  #judgeGroup(group: KeptGroup): void {
    if (!this.#begun || this.#options.nodes.get(group.facts.node) !== undefined) return;
    this.#options.remove('groups', group);
  }

  #judgeNodeObject(object: KeptNodeObject): void {
    if (!this.#begun || this.#options.nodes.get(object.node) !== undefined) return;
    this.#options.remove('passthroughNodes', object);
  }

  #sawPolicy(policy: PolicyKubeObject): void {
    const { name } = policy.metadata;
    this.#options.writer.saw(name, policy);
    this.#selected.set(name, this.#countSelected(policy));
    this.#update([name]);
  }

  #policyGone(name: string): void {
    this.#statuses.delete(name);
    this.#selected.delete(name);
    this.#options.writer.forget(name);
  }

  #nodeLabelled(before: Labels | undefined, now: Labels): void {
    const touched: string[] = [];
    for (const policy of this.#options.policies.values()) {
      const selector = selectorOf(policy);
      const was = before !== undefined && selects(selector, before);
      const is = selects(selector, now);
      if (was === is) continue;
      this.#count(policy.metadata.name, is ? 1 : -1);
      touched.push(policy.metadata.name);
    }
    this.#update(touched);
  }

  #nodeGone(node: string, labels: Labels): void {
    const touched: string[] = [];
    for (const policy of this.#options.policies.values()) {
      if (!selects(selectorOf(policy), labels)) continue;
      this.#count(policy.metadata.name, -1);
      touched.push(policy.metadata.name);
    }
    this.#update(touched);
    const { groups, passthroughNodes } = this.#options;
    for (const name of this.#tally.ofNode(node)) {
      const group = groups.get(name);
      if (group !== undefined) this.#judgeGroup(group);
    }
    const own = passthroughNodes.get(node);
    if (own !== undefined) this.#judgeNodeObject(own);
  }

  #count(policy: string, by: number): void {
    this.#selected.set(policy, (this.#selected.get(policy) ?? 0) + by);
  }

  #countSelected(policy: PolicyKubeObject): number {
    const selector = selectorOf(policy);
    let count = 0;
    for (const { metadata } of this.#options.nodes.values())
      if (selects(selector, metadata.labels ?? {})) count += 1;
    return count;
  }

  #update(names: Iterable<string>): void {
    if (!this.#begun) return;
    const { policies, writer, clock } = this.#options;
    for (const name of names) {
      const policy = policies.get(name);
      if (policy === undefined) continue;
      const before =
        this.#statuses.get(name) ?? (policy.status as PolicyStatus | undefined) ?? null;
      const report = {
        name,
        generation: policy.metadata.generation ?? 1,
        invalid: problemOf(policy),
        counts: this.#tally.of(name),
        nodesSelected: this.#selected.get(name) ?? 0,
      };
      const status = policyStatus(report, before, clock.wallMs());
      this.#statuses.set(name, status);
      // The object is a person's: only its status is written.
      writer.want(name, { metadata: null, status });
    }
  }
}

function selectorOf({ spec }: PolicyKubeObject): Labels {
  const { nodeSelector } = (spec ?? {}) as { nodeSelector?: { matchLabels?: Labels } };
  return nodeSelector?.matchLabels ?? {};
}

function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** Why agents do not go by this object; null: they do. */
function problemOf(policy: PolicyKubeObject): string | null {
  const parsed = parsePolicyObject(policyObjectOf(policy));
  return parsed.ok ? null : problemsText(parsed.problem);
}
