// What the agent says to the API server: an IOMMUGroup object for each group, the PassthroughNode of this node, and
// Events when something changes. What has not changed is not written. Without the Node object nothing is written:
// the objects would belong to nobody.
import { type GroupStatus, groupObjectName, nodeLabel } from '../api/iommu-group.ts';
import { apiVersion } from '../api/metadata.ts';
import type { NodeStatus } from '../api/passthrough-node.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Happening } from '../cluster/events/event-object.ts';
import type { ObjectsOf } from '../cluster/informer/objects-of.ts';
import type { WantedObject } from '../cluster/object-writer.ts';
import type { KubeObject } from '../cluster/objects.ts';
import type { Lease } from '../ownership/record.ts';
import type { PciAddress } from '../pci/address.ts';
import { absentGroupStatus } from './report/absent-group.ts';
import { groupStatus } from './report/group-status.ts';
import { type GroupReason, groupReasons, happenings } from './report/happenings.ts';
import { KeptLeases, keptLeaseNote } from './report/kept-leases.ts';
import { type NodeReport, nodeStatus } from './report/node-status.ts';
import type { GroupView } from './view.ts';

/** An object of ours as an informer has it. */
export interface ReportedObject extends KubeObject {
  readonly spec?: { readonly cordoned?: boolean; readonly cordonReason?: string };
  readonly status?: object;
}

/** Where objects are wanted; ObjectWriter is one. */
export interface Wants {
  want(name: string, wanted: WantedObject | null): void;
  saw(name: string, live: ReportedObject | null): void;
  forget(name: string): void;
}

/** What a report is made from. */
export interface ClusterReportOptions {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly nodes: ObjectsOf;
  readonly groups: ObjectsOf<ReportedObject>;
  readonly passthroughNodes: ObjectsOf<ReportedObject>;
  readonly groupWriter: Wants;
  readonly nodeWriter: Wants;
  readonly record: (happening: Happening) => void;
  /** Every group, and the node, as they are now; null before the first survey. */
  readonly now: () => NodeReport | null;
  /** Whether the pod of a lease is no more, as far as the API server knows. */
  readonly podGone: (lease: Lease) => boolean;
  /** Cordons of this node as they are now. */
  readonly onCordons: (cordons: ReadonlyMap<PciAddress, string>) => void;
}

/** Registrations change without a view that changes. */
const againMs = 5000;

/** Reports. `begin` once the informers are synced, `update` after every change, `close` at the end. */
export class ClusterReport {
  readonly #options: ClusterReportOptions;
  readonly #ends: (() => void)[] = [];
  /** What was said last of each object, and what it was made from; null: the group is not there. */
  readonly #said = new Map<
    string,
    { readonly status: GroupStatus; readonly view: GroupView | null }
  >();
  readonly #keptLeases = new KeptLeases();
  #views: ReadonlyMap<PciAddress, GroupView> | null = null;
  #nodeStatus: NodeStatus | null = null;
  #cordons = '';
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: ClusterReportOptions) {
    this.#options = options;
    const { groups, passthroughNodes, nodes, groupWriter, nodeWriter } = options;
    const update = (): void => this.update();
    this.#ends.push(
      groups.onChange({
        added: (object) => this.#sawGroup(object),
        updated: (object) => this.#sawGroup(object),
        deleted: ({ metadata }) => {
          groupWriter.saw(metadata.name, null);
          this.#tellCordons();
        },
      }),
      passthroughNodes.onChange({
        added: (object) => nodeWriter.saw(object.metadata.name, object),
        updated: (object) => nodeWriter.saw(object.metadata.name, object),
        deleted: ({ metadata }) => nodeWriter.saw(metadata.name, null),
      }),
      nodes.onChange({ added: update, updated: update, deleted: update }),
    );
  }

  /** Begins to tell: call it once all informers have synced. */
  begin(): void {
    this.#tellCordons();
    this.update();
    this.#again();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
    for (const end of this.#ends) end();
  }

  /** Says what is so now. */
  update(): void {
    const { nodes, groups, passthroughNodes, nodeName, now } = this.#options;
    const synced = nodes.hasSynced && groups.hasSynced && passthroughNodes.hasSynced;
    const report = now();
    if (this.#closed || !synced || report === null) return;
    const uid = nodes.get(nodeName)?.metadata.uid;
    if (uid === undefined) return this.#withdraw();
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid };
    const metadata = { labels: { [nodeLabel]: nodeName }, ownerReferences: [owner] };
    this.#tellOf(report.views);
    for (const view of report.views) this.#wantGroup(view, metadata);
    this.#removeOthers(report.views, metadata);
    this.#wantNode(report, metadata);
  }

  #wantGroup(view: GroupView, metadata: NonNullable<WantedObject['metadata']>): void {
    const { groups, groupWriter, nodeName, clock } = this.#options;
    const name = groupObjectName(nodeName, view.leader);
    const live = groups.get(name);
    const said = this.#said.get(name);
    const before = said?.status ?? (live?.status as GroupStatus | undefined) ?? null;
    // The first version of an object is its generation 1.
    const generation = live?.metadata.generation ?? 1;
    // Most updates are about one group: of the others it is known what there is to say.
    const known = said?.view === view && said.status.observedGeneration === generation;
    const status = known
      ? said.status
      : groupStatus(view, before, { nodeName, nowMs: clock.wallMs(), generation });
    this.#said.set(name, { status, view });
    groupWriter.want(name, { metadata, status });
  }

  /** Objects of this node for which there is no group any more; one that is cordoned stays, and its cordon with it. */
  #removeOthers(
    views: readonly GroupView[],
    metadata: NonNullable<WantedObject['metadata']>,
  ): void {
    const { groups, groupWriter, nodeName } = this.#options;
    const names = new Set(views.map(({ leader }) => groupObjectName(nodeName, leader)));
    const known = [...groups.values()].map(({ metadata: { name } }) => name);
    for (const name of [...known, ...this.#said.keys()]) {
      if (names.has(name)) continue;
      const leader = leaderIn(name, nodeName);
      const live = groups.get(name);
      if (live?.spec?.cordoned === true && leader !== null) {
        groupWriter.want(name, { metadata, status: this.#absent(name, leader, live) });
        continue;
      }
      this.#said.delete(name);
      groupWriter.want(name, null);
    }
  }

  #absent(name: string, leader: PciAddress, live: ReportedObject): GroupStatus {
    const { nodeName, clock } = this.#options;
    const before = this.#said.get(name)?.status ?? (live.status as GroupStatus | undefined) ?? null;
    const context = { nodeName, nowMs: clock.wallMs(), generation: live.metadata.generation ?? 1 };
    const status = absentGroupStatus(leader, before, context);
    this.#said.set(name, { status, view: null });
    return status;
  }

  #wantNode(report: NodeReport, metadata: NonNullable<WantedObject['metadata']>): void {
    const { passthroughNodes, nodeWriter, nodeName, clock } = this.#options;
    const live = passthroughNodes.get(nodeName)?.status as NodeStatus | undefined;
    const status = nodeStatus(report, this.#nodeStatus ?? live ?? null, clock.wallMs());
    this.#nodeStatus = status;
    nodeWriter.want(nodeName, { metadata, status });
  }

  /** The Node is gone: its objects go with it, and none is made anew. */
  #withdraw(): void {
    for (const name of this.#said.keys()) this.#options.groupWriter.forget(name);
    this.#said.clear();
    this.#nodeStatus = null;
    this.#options.nodeWriter.forget(this.#options.nodeName);
  }

  #tellOf(views: readonly GroupView[]): void {
    const before = this.#views;
    this.#views = new Map(views.map((view) => [view.leader, view]));
    // What was so when this agent began to tell is no news.
    if (before === null) return;
    for (const view of views)
      for (const { reason, note } of happenings(before.get(view.leader) ?? null, view))
        this.#tell(view, reason, note);
    const { podGone, clock } = this.#options;
    for (const view of this.#keptLeases.due(views, podGone, clock.monotonicMs()))
      this.#tell(view, 'LeaseKept', keptLeaseNote(view));
  }

  #tell({ leader, lease }: GroupView, reason: GroupReason, note: string): void {
    const { nodeName, groups, record } = this.#options;
    const name = groupObjectName(nodeName, leader);
    const uid = groups.get(name)?.metadata.uid;
    const known = uid === undefined ? {} : { uid };
    const regarding = { apiVersion, kind: 'IOMMUGroup', name, ...known };
    const pod = lease?.pod ?? null;
    const related =
      pod === null
        ? {}
        : { related: { apiVersion: 'v1', kind: 'Pod', name: pod.name, namespace: pod.namespace } };
    const { type, action } = groupReasons[reason];
    record({ type, reason, action, note, regarding, ...related });
  }

  #sawGroup(object: ReportedObject): void {
    this.#options.groupWriter.saw(object.metadata.name, object);
    this.#tellCordons();
    // A new generation is to be observed.
    if (
      this.#said.get(object.metadata.name)?.status.observedGeneration !== object.metadata.generation
    )
      this.update();
  }

  #tellCordons(): void {
    const { groups, nodeName, onCordons } = this.#options;
    if (!groups.hasSynced) return;
    const cordons = cordonsOf(nodeName, groups.values());
    const says = JSON.stringify([...cordons]);
    if (says === this.#cordons) return;
    this.#cordons = says;
    onCordons(cordons);
  }

  #again(): void {
    this.#timer = this.#options.clock.after(againMs, () => {
      this.#tellCordons();
      this.update();
      if (!this.#closed) this.#again();
    });
  }
}

/** Leaders that a person took out of service, with the reason. */
function cordonsOf(
  nodeName: string,
  objects: Iterable<ReportedObject>,
): ReadonlyMap<PciAddress, string> {
  const cordons = new Map<PciAddress, string>();
  for (const { metadata, spec } of objects) {
    if (spec?.cordoned !== true) continue;
    const leader = leaderIn(metadata.name, nodeName);
    if (leader !== null) cordons.set(leader, spec.cordonReason ?? '');
  }
  return new Map([...cordons].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The leader that the name of an object of this node names; null: it is no such name. */
function leaderIn(name: string, nodeName: string): PciAddress | null {
  if (!name.startsWith(`${nodeName}-`)) return null;
  const parts = /^([0-9a-f]{4,8})-([0-9a-f]{2})-([0-9a-f]{2})-([0-7])$/.exec(
    name.slice(nodeName.length + 1),
  );
  if (parts === null) return null;
  const [, domain, bus, device, fn] = parts;
  return `${domain}:${bus}:${device}.${fn}` as PciAddress;
}
