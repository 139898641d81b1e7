// The agent as a process: everything that src/agent wants, made of real parts, started in order and stopped
// in the reverse order.
import { join } from 'node:path';
import { Agent } from '../agent/agent.ts';
import type { DeliveryMode } from '../agent/delivery.ts';
import { defaultTiming, noPodKnowledge } from '../agent/ports.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { createHost } from '../host/create-host.ts';
import type { KernelFs } from '../kernel/fs.ts';
import { CdiFiles } from '../kubelet/cdi-files.ts';
import { defaultDepartureLimits } from '../kubelet/departure.ts';
import { PodResourcesClient, podResourcesTiming } from '../kubelet/pods/pod-resources.ts';
import { defaultRequestLimits } from '../kubelet/requests.ts';
import { DevicePlugins } from '../kubelet/server/device-plugins.ts';
import { defaultPluginTiming } from '../kubelet/server/options.ts';
import { loadDevicePluginWire, loadPodResourcesWire } from '../kubelet/wire/load.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Delivery } from '../ownership/record.ts';
import { fileRecordStore } from '../record/file-store.ts';
import type { PolicyState } from '../record/policy-files.ts';
import {
  type PolicyWatch,
  type PolicyWatchOptions,
  watchPolicies,
} from '../record/policy-watch.ts';
import type { AgentCluster } from './agent-cluster.ts';
import { protosFolder } from './places.ts';

/** How often a folder is looked at that is also watched: each look wakes a process that has nothing to do. */
const watchedPollMs = 5000;

/** What an agent process is told by its flags. */
export interface AgentSettings {
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Null: policies come from the API server. */
  readonly policiesPath: string | null;
  readonly stateDir: string;
  /** The kubelet's own folder (`/var/lib/kubelet`). */
  readonly kubeletDir: string;
  readonly cdiDir: string;
  readonly delivery: Delivery;
  readonly deviceRoot: string;
  /** Node of the host in the place of every VFIO node. */
  readonly deviceStandIn?: string;
  /** How long after its start the kubelet's lists are not trusted. */
  readonly kubeletReadyMs: number;
}

/** Parts that the caller owns. */
export interface AgentParts {
  readonly kernel: KernelFs;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onCrash: (problem: unknown) => void;
  /** The side of the Kubernetes API; null: none. */
  readonly cluster: AgentCluster | null;
}

/** A running agent. */
export interface AgentProcess {
  readonly agent: Agent;
  readonly plugins: DevicePlugins;
  /** Streams ended, sockets unlinked, loop stopped; claimed groups stay as they are. */
  stop(): Promise<void>;
}

/** Starts an agent. Resolves when its offers are complete and it is registering with the kubelet. */
export async function startAgent(
  settings: AgentSettings,
  parts: AgentParts,
): Promise<AgentProcess> {
  const { clock, log, metrics, onCrash } = parts;
  const holders = new PodResourcesClient({
    folder: join(settings.kubeletDir, 'pod-resources'),
    wire: loadPodResourcesWire(protosFolder),
    clock,
    ...podResourcesTiming,
  });
  const agent = new Agent({
    ports: {
      ...{ clock, log, holders, cdi: new CdiFiles(settings.cdiDir) },
      host: createHost({ kernel: parts.kernel, clock, log }),
      records: fileRecordStore({ dir: settings.stateDir, log }),
      pods: parts.cluster?.pods ?? noPodKnowledge,
      departure: { ...defaultDepartureLimits, kubeletUpMs: settings.kubeletReadyMs },
      meter: metrics.agent,
      timing: defaultTiming,
      mode: deliveryMode(settings),
    },
    nodeLabels: settings.nodeLabels,
    policies: [],
    onCrash,
  });
  const policies = await policySource(settings.policiesPath, agent, parts);
  await agent.start();
  const count = (): void => metrics.groups(agent.views());
  const counting = agent.onViewsChanged(count);
  count();
  metrics.recordsQuarantined(agent.quarantined.length);
  const plugins = new DevicePlugins({
    ...{ clock, log, door: agent },
    folder: join(settings.kubeletDir, 'device-plugins'),
    wire: loadDevicePluginWire(protosFolder),
    // Sockets of two agents must not have the same names: the seed is the process and its start.
    random: seededRandom((process.pid << 8) ^ clock.wallMs()),
    metrics: metrics.devicePlugin,
    limits: defaultRequestLimits,
    // The folder is watched; the poll is for what the watch misses.
    timing: { ...defaultPluginTiming, pollMs: watchedPollMs },
  });
  await plugins.start();
  // The kubelet first: nothing here waits for an API server that may be away.
  parts.cluster?.begin(agent, () => registeredWith(plugins));
  const stop = async (): Promise<void> => {
    policies.close();
    counting.close();
    await parts.cluster?.stop();
    await plugins.stop();
    agent.stop();
    holders.close();
  };
  return { agent, plugins, stop };
}

function deliveryMode({ delivery, deviceRoot, deviceStandIn }: AgentSettings): DeliveryMode {
  return {
    delivery,
    deviceRoot,
    ...(deviceStandIn === undefined ? {} : { standIn: deviceStandIn }),
  };
}

function registeredWith(plugins: DevicePlugins): ReadonlySet<string> {
  const { resources } = plugins.state();
  return new Set(resources.filter(({ registered }) => registered).map(({ resource }) => resource));
}

/** Policies of files, or what the API server said last until it speaks again. */
async function policySource(
  path: string | null,
  agent: Agent,
  { clock, log, metrics, cluster }: AgentParts,
): Promise<{ close(): void }> {
  await cluster?.recall(agent);
  if (path === null) return { close: () => undefined };
  return firstPolicies({ path, clock, log, pollMs: watchedPollMs }, (state) => {
    agent.setPolicies(state.policies);
    metrics.policies(state.policies.length, state.problems.length);
  });
}

/** Begins to watch policies and resolves when the first state was delivered, so that the first offers are complete. */
function firstPolicies(
  options: PolicyWatchOptions,
  listener: (state: PolicyState) => void,
): Promise<PolicyWatch> {
  return new Promise((resolve) => {
    const watch = watchPolicies(options, (state) => {
      listener(state);
      resolve(watch);
    });
  });
}
