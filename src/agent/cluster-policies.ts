// Policies and node labels from the API server: judged, handed to the agent when both are known, and kept for a start
// while the server is away.
import { parsePolicyObject, policyObjectOf, problemsText } from '../api/policy-in-force.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ObjectsOf } from '../cluster/informer/objects-of.ts';
import type { KubeObject } from '../cluster/objects.ts';
import type { PassthroughPolicy } from '../policy/policy.ts';

/** Policies in force with the labels of this node. */
export interface PoliciesInForce {
  readonly policies: readonly PassthroughPolicy[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Objects that are no valid policies: they are not in force. */
  readonly problems: readonly string[];
  /** The objects themselves, to be kept. */
  readonly objects: readonly unknown[];
}

/** What the source is made from. */
export interface ClusterPoliciesOptions {
  readonly policies: ObjectsOf;
  /** The own Node only. */
  readonly nodes: ObjectsOf;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: (inForce: PoliciesInForce) => void;
}

/** Changes of a moment are one change. */
const gatherMs = 20;

/** Judges objects as policies. */
export function judgePolicies(
  objects: readonly unknown[],
  nodeLabels: Readonly<Record<string, string>>,
): PoliciesInForce {
  const policies: PassthroughPolicy[] = [];
  const problems: string[] = [];
  for (const object of objects) {
    const parsed = parsePolicyObject(object);
    if (parsed.ok) policies.push(parsed.value);
    else {
      const name = (object as KubeObject | null)?.metadata?.name ?? 'a policy without a name';
      problems.push(`${name}: ${problemsText(parsed.problem)}`);
    }
  }
  return { policies, nodeLabels, problems, objects };
}

/** Tells of policies as they change. */
export class ClusterPolicies {
  readonly #options: ClusterPoliciesOptions;
  readonly #ends: (() => void)[] = [];
  #timer: Timer | null = null;
  #said = '';

  constructor(options: ClusterPoliciesOptions) {
    this.#options = options;
    const gather = (): void => this.#gather();
    for (const objects of [options.policies, options.nodes])
      this.#ends.push(objects.onChange({ added: gather, updated: gather, deleted: gather }));
  }

  /** Says nothing any more. */
  close(): void {
    for (const end of this.#ends) end();
    this.#timer?.clear();
  }

  /** Looks now: call it when the informers have synced, for a list may be empty. */
  look(): void {
    const { policies, nodes, nodeName, onChange, log } = this.#options;
    if (!policies.hasSynced || !nodes.hasSynced) return;
    const labels = nodes.get(nodeName)?.metadata.labels ?? {};
    const objects = [...policies.values()]
      .map(policyObjectOf)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const inForce = judgePolicies(objects, labels);
    // Status and versions change for reasons that are none of the agent's.
    const says = JSON.stringify([inForce.policies, labels, inForce.problems]);
    if (says === this.#said) return;
    this.#said = says;
    for (const problem of inForce.problems) log.warn('policy object invalid', { problem });
    onChange(inForce);
  }

  #gather(): void {
    this.#timer ??= this.#options.clock.after(gatherMs, () => {
      this.#timer = null;
      this.look();
    });
  }
}
