// Taking a group out of service and back: spec of its object, which is the administrator's. Nothing else is written.
import type { ApiClient } from '../cluster/client.ts';
import { resources } from '../cluster/objects.ts';
import { podText } from './group-facts.ts';
import { apiError } from './reader.ts';
import type { SeenGroup } from './seen.ts';

/** How a group is to be. */
export interface Cordon {
  readonly cordoned: boolean;
  /** Why, in words; empty with `cordoned: false`. */
  readonly reason: string;
}

/** What came of it. */
export interface CordonOutcome {
  readonly group: string;
  readonly cordoned: boolean;
  readonly reason: string;
  /** False: it was so already, and nothing was written. */
  readonly changed: boolean;
  /** The pod that has the group, and keeps it; null: none. */
  readonly pod: string | null;
}

/** Puts it so. Throws CodedError when the server refuses. */
export async function setCordon(
  client: ApiClient,
  group: SeenGroup,
  cordon: Cordon,
): Promise<CordonOutcome> {
  const { metadata, spec, status } = group;
  const { cordoned, reason } = cordon;
  const changed = (spec?.cordoned === true) !== cordoned || (spec?.cordonReason ?? '') !== reason;
  const pod = status?.lease?.pod;
  const outcome = { group: metadata.name, cordoned, reason, changed };
  if (changed) {
    const patch = {
      // Only the very object that was looked at, not one that came under its name since.
      metadata: { uid: metadata.uid },
      spec: { cordoned, cordonReason: reason },
    };
    const answer = await client.patch(resources.groups, { name: metadata.name }, patch);
    if (!answer.ok) throw apiError(resources.groups, answer.problem);
  }
  return { ...outcome, pod: pod === undefined ? null : podText(pod) };
}
