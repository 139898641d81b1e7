// Leases whose pod is gone while the group is not free yet: what a person is told of when it lasts, once for each.
import type { Lease } from '../../ownership/record.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { GroupView } from '../view.ts';

interface Kept {
  /** When the lease was taken: another lease of the group is another story. */
  readonly since: string;
  /** When its pod was first seen to be gone (monotonic). */
  readonly goneAtMs: number;
  told: boolean;
}

/** The kubelet's lists and a container's end take seconds; what lasts longer has a reason. */
const patienceMs = 30_000;

/** Remembers which pods are gone. */
export class KeptLeases {
  readonly #kept = new Map<PciAddress, Kept>();

  /** Groups to be told of now. `gone`: whether the pod of a lease is no more, as far as the API server knows. */
  due(
    views: readonly GroupView[],
    gone: (lease: Lease) => boolean,
    nowMs: number,
  ): readonly GroupView[] {
    const leaders = new Set(views.map(({ leader }) => leader));
    for (const leader of this.#kept.keys()) if (!leaders.has(leader)) this.#kept.delete(leader);
    return views.filter((view) => this.#isDue(view, gone, nowMs));
  }

  #isDue({ leader, lease }: GroupView, gone: (lease: Lease) => boolean, nowMs: number): boolean {
    if (lease === null || !gone(lease)) {
      this.#kept.delete(leader);
      return false;
    }
    const known = this.#kept.get(leader);
    if (known?.since !== lease.since) {
      this.#kept.set(leader, { since: lease.since, goneAtMs: nowMs, told: false });
      return false;
    }
    if (known.told || nowMs - known.goneAtMs < patienceMs) return false;
    known.told = true;
    return true;
  }
}

/** What is said of one. */
export function keptLeaseNote({ lease, owner, leader, groupNumber }: GroupView): string {
  const pod = lease?.pod ?? null;
  const who = pod === null ? 'the pod' : `pod ${pod.namespace}/${pod.name}`;
  const why =
    owner === 'Userspace'
      ? `a program of the node still has a member open; find it with "fuser -v /dev/vfio/${groupNumber ?? '*'} /dev/vfio/devices/*", or with "wholegroup explain ${leader}" on the node`
      : 'the kubelet has not given the device up yet';
  return `${who} is gone, and the group stays out: ${why}.`;
}
