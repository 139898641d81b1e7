// The controller made of real parts: what it watches, what it writes, and the Lease that says whether it may.
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ClusterAccess } from '../cluster/access/access.ts';
import { LeaderElection } from '../cluster/election/leader-election.ts';
import { Informer } from '../cluster/informer/informer.ts';
import { ObjectWriter } from '../cluster/object-writer.ts';
import { type KubeObject, labelsOnly, resources } from '../cluster/objects.ts';
import { problemText } from '../cluster/problem.ts';
import { WorkQueue } from '../cluster/work-queue.ts';
import {
  Controller,
  keptGroup,
  keptNodeObject,
  type PolicyKubeObject,
} from '../controller/controller.ts';
import type { Metrics } from '../observe/metrics.ts';
import { type ApiParts, apiParts } from './api-client.ts';

/** What it is made from. */
export interface ControllerParts {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Of this process alone. */
  readonly identity: string;
  /** Where the Lease is. */
  readonly namespace: string;
}

/** A running controller. */
export interface ControllerProcess {
  /** True once everything has been listed. */
  synced(): boolean;
  /** Resolves when the lease was lost: the process has to end. */
  readonly lost: Promise<'lease lost'>;
  stop(): Promise<void>;
}

const leaseName = 'wholegroup-controller';

/** Starts watching at once, and writing when it leads. */
export function startController(options: ControllerParts): ControllerProcess {
  const { access, clock, log, identity, namespace } = options;
  const metrics = options.metrics.cluster;
  const parts = apiParts(leaseName, { access, clock, log, metrics });
  const watched = watchedBy(parts);
  const writer = new ObjectWriter({
    ...{ ...parts, resource: resources.policies, fieldManager: leaseName },
    live: (name) => watched.policies.get(name) ?? (watched.policies.hasSynced ? null : undefined),
  });
  const garbage = new Garbage(parts);
  const controller = new Controller({
    ...{ ...watched, clock, writer },
    remove: (kind, object) => garbage.add(kind, object),
  });
  const ending = new AbortController();
  const { signal } = ending;
  const lost = Promise.withResolvers<'lease lost'>();
  const informers = Object.values(watched);
  const running: Promise<unknown>[] = informers.map((informer) => informer.run(signal));
  const election = new LeaderElection({
    ...{ ...parts, identity },
    lease: { namespace, name: leaseName },
  });
  const lead = async (leads: AbortSignal): Promise<void> => {
    const synced = await Promise.all(informers.map((informer) => informer.synced()));
    if (!synced.every(Boolean) || leads.aborted) return;
    controller.begin();
    await Promise.all([writer.run(leads), garbage.run(leads)]);
  };
  running.push(
    election
      .run((leadership) => lead(leadership.signal), signal)
      .then((end) => {
        if (end === 'lost') lost.resolve('lease lost');
      }),
  );
  return {
    synced: () => informers.every((informer) => informer.hasSynced),
    lost: lost.promise,
    stop: async () => {
      controller.close();
      ending.abort();
      await Promise.all(running);
      parts.client.close();
    },
  };
}

function watchedBy(parts: ApiParts) {
  return {
    policies: new Informer<PolicyKubeObject>({ ...parts, resource: resources.policies }),
    groups: new Informer({ ...parts, resource: resources.groups, keep: keptGroup }),
    passthroughNodes: new Informer({
      ...{ ...parts, resource: resources.passthroughNodes },
      keep: keptNodeObject,
    }),
    nodes: new Informer({ ...parts, resource: resources.nodes, keep: labelsOnly }),
  };
}

/** Removes objects of nodes that are gone: only the very object that was judged, and again until it is gone. */
class Garbage {
  readonly #parts: ApiParts;
  readonly #objects = new Map<string, KubeObject>();
  readonly #queue: WorkQueue;

  constructor(parts: ApiParts) {
    this.#parts = parts;
    const { clock, random, log } = parts;
    this.#queue = new WorkQueue({
      name: 'garbage',
      ...{ clock, random, log },
      run: (key, signal) => this.#remove(key, signal),
    });
  }

  add(kind: 'groups' | 'passthroughNodes', object: KubeObject): void {
    const key = `${kind}/${object.metadata.name}`;
    this.#objects.set(key, object);
    this.#queue.add(key);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  async #remove(key: string, signal: AbortSignal) {
    const object = this.#objects.get(key);
    if (object === undefined) return { kind: 'done' } as const;
    const { name, uid } = object.metadata;
    const resource = key.startsWith('groups/') ? resources.groups : resources.passthroughNodes;
    const options = { signal, ...(uid === undefined ? {} : { uid }) };
    const answer = await this.#parts.client.remove(resource, { name }, options);
    const over = answer.ok || ['notFound', 'conflict', 'aborted'].includes(answer.problem.kind);
    if (!over) return { kind: 'failed', why: problemText(answer.problem) } as const;
    this.#objects.delete(key);
    return { kind: 'done' } as const;
  }
}
