// The node loop: surveys when something may have changed, one actor per group, one computation of the offers.
// It is the door that the kubelet's protocols knock at.
import { assert } from '../base/assert.ts';
import type { AllocateAnswer, DevicePluginDoor, PreStartAnswer } from '../kubelet/door.ts';
import { appliesTo } from '../policy/match.ts';
import { type Offers, offers, sameOffers } from '../policy/offers.ts';
import type { PassthroughPolicy, ResourceName } from '../policy/policy.ts';
import type { Changes } from '../pci/changes.ts';
import { comparePciAddresses, type PciAddress } from '../pci/address.ts';
import { GroupActor } from './group-actor.ts';
import { NodeWatch } from './node-watch.ts';
import { LeaseWatch } from './lease-watch.ts';
import { askActors, preStartActors } from './requests.ts';
import type { AgentPorts, SurveyTrigger } from './ports.ts';
import { Reservations } from './reservations.ts';
import { type Survey, survey, type SurveyScope } from './survey.ts';
import type { GroupView } from './view.ts';
import type { QuarantinedRecord } from '../record/store.ts';

/** Rounds that may follow each other without a whole inventory: five minutes. */
const partRoundsMax = 9;

/** What an agent is made with. */
export interface AgentOptions {
  readonly ports: AgentPorts;
  /** Labels of this node, for nodeSelector. */
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly policies: readonly PassthroughPolicy[];
  /** A bug was met: the process has to end (the state of a group is not trustworthy any more). */
  readonly onCrash: (problem: unknown) => void;
}

/** Something that was published: the views of all groups, or the survey behind them. */
export type AgentListener = () => void;

/** The node agent. `start` once, `stop` once; between them everything may be called at any time. */
export class Agent implements DevicePluginDoor {
  readonly #ports: AgentPorts;
  readonly #options: AgentOptions;
  readonly #actors = new Map<PciAddress, GroupActor>();
  readonly #leases: LeaseWatch;
  readonly #watch: NodeWatch;
  readonly #offerListeners = new Set<AgentListener>();
  readonly #viewListeners = new Set<AgentListener>();
  readonly #reservations = new Reservations();
  #policies: readonly PassthroughPolicy[];
  #nodeLabels: Readonly<Record<string, string>>;
  #cordons: ReadonlyMap<PciAddress, string> = new Map();
  #quarantined: readonly QuarantinedRecord[] = [];
  #latest: Survey | null = null;
  #offers: Offers = new Map();
  #order = 0;
  /** Rounds since the whole inventory was read. */
  #rounds = 0;
  #publishing = false;
  #stopped = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#ports = options.ports;
    this.#policies = options.policies;
    this.#nodeLabels = options.nodeLabels;
    this.#watch = new NodeWatch({
      ports: options.ports,
      survey: (trigger, where) => this.#survey(trigger, where),
      working: () => this.#actors.values().some((actor) => actor.working),
      onCrash: options.onCrash,
    });
    this.#leases = new LeaseWatch({ ports: options.ports, actors: () => this.#actors.values() });
  }

  /**
   * Reads the records, looks at the node for the first time and begins to watch it. When this resolves the
   * offers are complete and every interrupted claim or return goes on. Throws WG_RECORD_DIR_UNUSABLE.
   */
  async start(): Promise<void> {
    const { records, quarantined } = await this.#ports.records.load();
    this.#quarantined = quarantined;
    for (const record of records) this.#begin(record.leader, { record, quarantined: null });
    for (const entry of quarantined) {
      this.#ports.log.error('record quarantined', {
        path: entry.path,
        leader: entry.leader,
        why: entry.why,
      });
      if (entry.leader === null || this.#actors.has(entry.leader)) continue;
      this.#begin(entry.leader, { record: null, quarantined: entry });
    }
    await this.#watch.start();
    this.#publish();
    this.#leases.wake();
  }

  /** Ends the loop: no step is begun any more; claimed groups stay as they are, requests are refused. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#watch.stop();
    this.#leases.stop();
    for (const actor of this.#actors.values()) actor.stop();
  }

  /** Other policies are in force from now on. */
  setPolicies(policies: readonly PassthroughPolicy[]): void {
    this.#policies = policies;
    this.#watch.want('policy');
  }

  /** Other labels of this node, for nodeSelector. */
  setNodeLabels(labels: Readonly<Record<string, string>>): void {
    this.#nodeLabels = labels;
    this.#watch.want('policy');
  }

  /** Groups taken out of service: leader and reason ("" when none was given). */
  setCordons(cordons: ReadonlyMap<PciAddress, string>): void {
    this.#cordons = cordons;
    this.#watch.want('policy');
  }

  /** Every group that a policy wants or that is ours, by leader. */
  views(): readonly GroupView[] {
    return [...this.#actors.values()]
      .map((actor) => actor.view)
      .sort((a, b) => comparePciAddresses(a.leader, b.leader));
  }

  /** What the last survey found; null before the first. */
  get latestSurvey(): Survey | null {
    return this.#latest;
  }

  /** Records that were set aside at start. */
  get quarantined(): readonly QuarantinedRecord[] {
    return this.#quarantined;
  }

  /** Calls `listener` after views changed. */
  onViewsChanged(listener: AgentListener): { close(): void } {
    this.#viewListeners.add(listener);
    return { close: () => void this.#viewListeners.delete(listener) };
  }

  offers(): Offers {
    return this.#offers;
  }

  onOffersChanged(listener: AgentListener): { close(): void } {
    this.#offerListeners.add(listener);
    return { close: () => void this.#offerListeners.delete(listener) };
  }

  allocate(resource: ResourceName, ids: readonly string[]): Promise<AllocateAnswer> {
    return askActors(this.#actors, resource, ids, this.#ports);
  }

  preStart(
    resource: ResourceName,
    ids: readonly string[],
    waitMs: number,
  ): Promise<PreStartAnswer> {
    return preStartActors(this.#actors, { resource, ids, waitMs }, this.#ports);
  }

  #begin(leader: PciAddress, stored: ConstructorParameters<typeof GroupActor>[1]): GroupActor {
    assert(!this.#actors.has(leader), `two actors for ${leader}`);
    const members = stored.record?.members.map((member) => member.address) ?? [];
    this.#reservations.take(leader, members);
    const actor = new GroupActor(leader, stored, {
      ports: this.#ports,
      holderCheck: (record) => this.#leases.check(record),
      shared: { reservations: this.#reservations, nextOrder: () => this.#order++ },
      onView: (view, before) => this.#viewed(view, before),
      onCrash: this.#options.onCrash,
    });
    this.#actors.set(leader, actor);
    return actor;
  }

  async #survey(trigger: SurveyTrigger, where: Changes): Promise<void> {
    const actors = [...this.#actors.values()];
    const found = await survey({
      host: this.#ports.host,
      scope: this.#scopeOf(trigger, where),
      policies: this.#policies.filter((policy) => appliesTo(policy, this.#nodeLabels)),
      records: actors.flatMap((actor) => (actor.record === null ? [] : [actor.record])),
      quarantined: this.#quarantined.flatMap((entry) =>
        entry.leader === null ? [] : [entry.leader],
      ),
      cordons: this.#cordons,
      skipLocked: new Set(actors.flatMap((actor) => actor.pendingAddresses)),
      order: this.#order++,
      lastBootId: this.#latest?.bootId ?? null,
    });
    if (this.#stopped) return;
    this.#latest = found;
    this.#tell(found);
    this.#ports.meter.surveyed(trigger);
    this.#schedulePublish();
  }

  /**
   * How much to look at. A round comes only while fingerprints stay equal, so it looks closely at what matters and
   * leaves the rest. Every tenth reads all of it nevertheless: equal fingerprints prove nothing.
   */
  #scopeOf(trigger: SurveyTrigger, where: Changes): SurveyScope {
    const before = this.#latest;
    if (before !== null && before.inventory.unreadable.length === 0) {
      if (trigger === 'round' && this.#rounds < partRoundsMax) {
        this.#rounds += 1;
        return { kind: 'wanted', before };
      }
      if (trigger !== 'round' && where.kind === 'some') return { kind: 'changed', before, where };
    }
    this.#rounds = 0;
    return { kind: 'everything' };
  }

  #tell(found: Survey): void {
    for (const [leader, seen] of found.seen) {
      const there = this.#actors.get(leader);
      if (there !== undefined && found.asBefore.has(leader)) continue;
      const actor = there ?? this.#begin(leader, { record: null, quarantined: null });
      actor.post({ kind: 'Seen', seen });
    }
    for (const [leader, actor] of this.#actors) {
      if (found.seen.has(leader) || actor.busy || found.inventory.unreadable.length > 0) continue;
      actor.stop();
      this.#actors.delete(leader);
    }
  }

  #viewed(view: GroupView, before: GroupView | null): void {
    if (this.#actors.get(view.leader) === undefined) return;
    if (before !== null && before.phase !== view.phase) {
      const { leader, groupNumber: group, resourceName: resource } = view;
      const fields = { leader, group, resource, from: before.phase, to: view.phase, why: view.why };
      this.#ports.log.info('group phase changed', fields);
    }
    if (before !== null && before.owner !== 'Mixed' && view.owner === 'Mixed') {
      this.#ports.log.error('group ownership mixed', {
        leader: view.leader,
        group: view.groupNumber,
      });
      this.#ports.meter.ownerBecameMixed();
    }
    this.#leases.wake();
    this.#schedulePublish();
  }

  /** Views change one by one; what is published is the sum, once for all changes of a moment. */
  #schedulePublish(): void {
    if (this.#publishing || this.#stopped) return;
    this.#publishing = true;
    this.#ports.clock.after(0, () => this.#publish());
  }

  #publish(): void {
    this.#publishing = false;
    if (this.#stopped) return;
    const views = this.views();
    this.#watch.doubts(views.some(isDoubtful));
    const next = this.#computeOffers(views);
    const changed = !sameOffers(this.#offers, next);
    this.#offers = next;
    for (const listener of this.#viewListeners) listener();
    if (!changed) return;
    for (const listener of this.#offerListeners) listener();
    const { clock, meter } = this.#ports;
    const changedAtMs = this.#watch.takeChangedAtMs();
    if (changedAtMs === null) return;
    meter.offersPushed((clock.monotonicMs() - changedAtMs) / 1000);
  }

  #computeOffers(views: readonly GroupView[]): Offers {
    const applying = this.#policies.filter((policy) => appliesTo(policy, this.#nodeLabels));
    const offerables = views.flatMap((view) =>
      view.resourceName === null
        ? []
        : [{ ...view, resourceName: view.resourceName, memberCount: view.members.length }],
    );
    return offers(
      applying.map((policy) => policy.resourceName),
      offerables,
    );
  }
}

/** Held back by what could not be read. */
function isDoubtful({ blockers }: GroupView): boolean {
  return blockers.some(({ kind }) => kind === 'UnknownFact' || kind === 'UnknownUse');
}
