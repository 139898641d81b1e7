// The agent's side of the Kubernetes API, made of real parts: what it watches, what it writes, and the copy on disk
// that it goes by while the server is away.
import type { Agent } from '../agent/agent.ts';
import { ClusterPolicies, judgePolicies } from '../agent/cluster-policies.ts';
import { ClusterReport, type ReportedObject } from '../agent/cluster-report.ts';
import type { PodKnowledge } from '../agent/ports.ts';
import { type KeptPod, keptPod, podStatus } from '../agent/report/pod-evidence.ts';
import { nodeLabel } from '../api/iommu-group.ts';
import type { Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ClusterAccess } from '../cluster/access/access.ts';
import { EventRecorder } from '../cluster/events/recorder.ts';
import { Informer } from '../cluster/informer/informer.ts';
import { ObjectWriter } from '../cluster/object-writer.ts';
import { type KubeObject, labelsOnly, type Resource, resources } from '../cluster/objects.ts';
import type { Selection } from '../cluster/query.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { PciAddress } from '../pci/address.ts';
import { type LastKnown, readLastKnown, writeLastKnown } from '../record/last-known.ts';
import { apiParts } from './api-client.ts';
import { version } from './version.ts';

/** What the side is made from. */
export interface AgentClusterOptions {
  readonly access: ClusterAccess;
  readonly nodeName: string;
  readonly stateDir: string;
  /** False: policies come from files, and those of the API server are not looked at. */
  readonly policiesFromApi: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The side of one agent. */
export interface AgentCluster {
  /** For the agent's ports. */
  readonly pods: PodKnowledge;
  /** Puts the copy on disk in force: call it before the agent starts. Never rejects. */
  recall(agent: Agent): Promise<void>;
  /** Watches and writes from now on. `registered`: resources that the kubelet has registered. */
  begin(agent: Agent, registered: () => ReadonlySet<string>): void;
  /** Ends watches and writes; what is on its way is dropped. */
  stop(): Promise<void>;
}

const component = 'wholegroup-agent';

/** Connects. Nothing is sent before `begin`. */
export function createAgentCluster(options: AgentClusterOptions): AgentCluster {
  const { access, clock, log, nodeName } = options;
  const metrics = options.metrics.cluster;
  const parts = apiParts(component, { access, clock, log, metrics });
  const restored: (() => void)[] = [];
  const onRestored = (): void => restored.forEach((each) => each());
  const watched = watchedBy({ ...parts, onRestored }, nodeName);
  const { policies, nodes, groups, passthroughNodes, pods } = watched;
  const groupWriter = writer(parts, resources.groups, groups);
  const nodeWriter = writer(parts, resources.passthroughNodes, passthroughNodes);
  const source = { controller: 'wholegroup.dev/agent', instance: nodeName };
  const events = new EventRecorder({ ...parts, source });
  const ending = new AbortController();
  const running: Promise<void>[] = [];
  const ends: (() => void)[] = [];
  const kept = keeper(options);
  const knowledge = knowledgeOf(pods);

  const begin: AgentCluster['begin'] = (agent, registered) => {
    const source = new ClusterPolicies({
      ...{ policies, nodes, nodeName, clock, log },
      onChange: ({ policies: inForce, problems, nodeLabels, objects }) => {
        agent.setNodeLabels(nodeLabels);
        if (!options.policiesFromApi) return;
        agent.setPolicies(inForce);
        options.metrics.policies(inForce.length, problems.length);
        kept.keep({ nodeLabels, policies: objects });
      },
    });
    const report = new ClusterReport({
      ...{ nodeName, clock, nodes, groups, passthroughNodes, groupWriter, nodeWriter },
      record: (happening) => events.record(happening),
      podGone: (lease) => ['absent', 'terminal'].includes(knowledge.statusOf(lease).kind),
      now: () => reportOf(agent, registered()),
      onCordons: (cordons) => {
        agent.setCordons(cordons);
        kept.keep({ cordons: Object.fromEntries(cordons) });
      },
    });
    const watching = agent.onViewsChanged(() => report.update());
    restored.push(() => report.update());
    ends.push(() => (source.close(), report.close(), watching.close()));
    const { signal } = ending;
    const informers = Object.values(watched);
    running.push(...informers.map((informer) => informer.run(signal)), events.run(signal));
    void Promise.all(informers.map((informer) => informer.synced())).then((synced) => {
      if (!synced.every(Boolean)) return;
      source.look();
      report.begin();
      running.push(groupWriter.run(signal), nodeWriter.run(signal));
    });
  };
  return {
    pods: knowledge,
    recall: (agent) => kept.recall(agent),
    begin,
    stop: async () => {
      for (const end of ends) end();
      ending.abort();
      await Promise.all(running);
      parts.client.close();
    },
  };
}

/** What is known of pods, while their list is heard of. */
function knowledgeOf(pods: Informer<KubeObject & KeptPod>): PodKnowledge {
  return {
    statusOf: (lease) =>
      podStatus(lease, {
        distrust: pods.health().current ? null : 'the API server cannot be asked',
        get: (namespace, name) => pods.get(name, namespace),
      }),
    uidOf: (namespace, name) => pods.get(name, namespace)?.metadata.uid ?? null,
  };
}

/** Policies, and of everything else what is of this node. */
function watchedBy(parts: Parts, nodeName: string) {
  const ownNode = { fieldSelector: `metadata.name=${nodeName}` };
  return {
    policies: new Informer({ ...parts, resource: resources.policies }),
    nodes: new Informer({ ...parts, resource: resources.nodes, ...ownNode, keep: labelsOnly }),
    groups: reported(parts, resources.groups, { labelSelector: `${nodeLabel}=${nodeName}` }),
    passthroughNodes: reported(parts, resources.passthroughNodes, ownNode),
    pods: new Informer<KubeObject & KeptPod>({
      ...{ ...parts, resource: resources.pods },
      fieldSelector: `spec.nodeName=${nodeName}`,
      keep: keptPod,
    }),
  };
}

type Parts = Omit<ConstructorParameters<typeof Informer>[0], 'resource' | 'keep'>;

function reported(parts: Parts, resource: Resource, which: Selection): Informer<ReportedObject> {
  return new Informer<ReportedObject>({ ...parts, resource, ...which });
}

function writer(
  parts: Parts,
  resource: Resource,
  informer: Informer<ReportedObject>,
): ObjectWriter {
  const live = (name: string): ReportedObject | null | undefined =>
    informer.get(name) ?? (informer.hasSynced ? null : undefined);
  return new ObjectWriter({ ...parts, resource, fieldManager: component, live });
}

function reportOf(agent: Agent, registered: ReadonlySet<string>) {
  const survey = agent.latestSurvey;
  if (survey === null) return null;
  return {
    ...{ agentVersion: version, facts: survey.facts, views: agent.views() },
    ...{ offers: agent.offers(), registered, quarantinedRecords: agent.quarantined.length },
  };
}

interface Keeper {
  keep(change: Partial<LastKnown>): void;
  recall(agent: Agent): Promise<void>;
}

/** The copy on disk: read once, written after every change, one write at a time. */
function keeper({ stateDir, log, policiesFromApi }: AgentClusterOptions): Keeper {
  let known: LastKnown = { nodeLabels: {}, policies: [], cordons: {} };
  let writing = Promise.resolve();
  const unusable = (thrown: unknown): void =>
    log.warn('last known state unusable', { why: errorText(thrown) });
  return {
    keep: (change) => {
      known = { ...known, ...change };
      const now = known;
      writing = writing.then(() => writeLastKnown(stateDir, now)).catch(unusable);
    },
    recall: async (agent) => {
      const read = await readLastKnown(stateDir);
      if (!read.ok) return unusable(read.problem);
      if (read.value === null) return;
      known = read.value;
      const { policies } = judgePolicies(known.policies, known.nodeLabels);
      agent.setNodeLabels(known.nodeLabels);
      if (policiesFromApi) agent.setPolicies(policies);
      const cordons = new Map(Object.entries(known.cordons) as [PciAddress, string][]);
      agent.setCordons(cordons);
      log.info('last known state in force', { policies: policies.length, cordons: cordons.size });
    },
  };
}
