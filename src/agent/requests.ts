// Requests of one container for several groups: all of them or none.
import type { AllocateAnswer, PreStartAnswer } from '../kubelet/door.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { GroupRecord, Lease } from '../ownership/record.ts';
import type { PciAddress } from '../pci/address.ts';
import type { Allocation } from './messages.ts';
import { grantFor } from './delivery.ts';
import type { GroupActor } from './group-actor.ts';
import type { AgentPorts } from './ports.ts';

type Actors = ReadonlyMap<PciAddress, GroupActor>;

function refused(
  reason: Extract<AllocateAnswer, { kind: 'refused' }>['reason'],
  message: string,
): Extract<AllocateAnswer, { kind: 'refused' }> {
  return { kind: 'refused', reason, message };
}

function unknownDevice(
  resource: ResourceName,
  id: string,
): Extract<AllocateAnswer, { kind: 'refused' }> {
  return refused('UnknownDevice', `${id} is not a device of ${resource} on this node`);
}

/** Takes a lease on every named group, in the order asked for; the first refusal takes the others back. */
export async function askActors(
  actors: Actors,
  resource: ResourceName,
  ids: readonly string[],
  ports: Pick<AgentPorts, 'clock' | 'mode' | 'meter'>,
): Promise<AllocateAnswer> {
  const startedMs = ports.clock.monotonicMs();
  if (ids.length === 0)
    return refused('InvalidRequest', 'devices_ids is empty; name at least one device');
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) return refused('InvalidRequest', `devices_ids names ${twice} twice`);
  const chosen = ids.map((id) => actors.get(id as PciAddress));
  const unknownAt = chosen.indexOf(undefined);
  if (unknownAt >= 0) return unknownDevice(resource, ids[unknownAt] ?? '');
  const leased: { readonly actor: GroupActor; readonly fresh: Lease | null }[] = [];
  const records: GroupRecord[] = [];
  for (const actor of chosen) {
    if (actor === undefined) continue;
    const allocation = await allocateOne(actor, resource);
    if (allocation.kind === 'refused') {
      takeBack(leased);
      return allocation;
    }
    leased.push({ actor, fresh: allocation.fresh });
    records.push(allocation.record);
  }
  ports.meter.allocated((ports.clock.monotonicMs() - startedMs) / 1000);
  return { kind: 'granted', grant: grantFor(ports.mode, resource, records) };
}

function allocateOne(actor: GroupActor, resource: ResourceName): Promise<Allocation> {
  return new Promise((resolve) => {
    if (actor.post({ kind: 'Allocate', resource, reply: resolve })) return;
    resolve(refused('NotReleasable', `${actor.leader} has too many requests waiting; try again`));
  });
}

function takeBack(
  leased: readonly { readonly actor: GroupActor; readonly fresh: Lease | null }[],
): void {
  for (const { actor, fresh } of leased) {
    if (fresh === null) continue;
    actor.post({
      kind: 'EndLease',
      lease: fresh,
      why: 'another device of the request was refused',
    });
  }
}

/** One container start. */
export interface StartRequest {
  readonly resource: ResourceName;
  readonly ids: readonly string[];
  readonly waitMs: number;
}

/** Waits until every named group is wholly taken and verified; the first refusal is the answer. */
export async function preStartActors(
  actors: Actors,
  { resource, ids, waitMs }: StartRequest,
  ports: Pick<AgentPorts, 'clock'>,
): Promise<PreStartAnswer> {
  if (ids.length === 0)
    return refused('InvalidRequest', 'devices_ids is empty; name at least one device');
  const deadlineMs = ports.clock.monotonicMs() + waitMs;
  const answers = await Promise.all(
    ids.map((id): Promise<PreStartAnswer> => {
      const actor = actors.get(id as PciAddress);
      if (actor === undefined) return Promise.resolve(unknownDevice(resource, id));
      return new Promise((resolve) => {
        if (actor.post({ kind: 'PreStart', resource, deadlineMs, reply: resolve })) return;
        resolve(refused('NotClaimed', `${id} has too many requests waiting; try again`));
      });
    }),
  );
  return answers.find((answer) => answer.kind === 'refused') ?? { kind: 'ready' };
}
