// How a container gets its devices at admission, and what is asked of the plugin before every start:
// the flows of devicemanager manager.go with their error texts, which pods carry as their message.
import type { Random } from '../base/random.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { DeviceTable } from './device-table.ts';
import { rpcErrorText } from './endpoint.ts';
import type { ContainerSpec, PodSpec } from './pod.ts';
import type { PluginRegistry } from './registry.ts';

/** What admission needs of the kubelet around it. */
export interface AdmissionContext {
  readonly table: DeviceTable;
  readonly registry: PluginRegistry;
  readonly random: Random;
  /** False until the kubelet has seen all its pods after a start. */
  sourcesReady(): boolean;
  /** The container was running when this kubelet started. */
  isRunning(podUid: string, container: string): boolean;
  /** UIDs of active pods. */
  activePods(): ReadonlySet<string>;
  /** Writes the checkpoint. */
  changed(): void;
  /** False once this kubelet process has ended: its answers count for nothing. */
  isAlive(): boolean;
}

/** A pod that is being admitted, or restarted. */
export interface AdmittedPod {
  readonly uid: string;
  readonly spec: PodSpec;
}

/** KubeletPreStartContainerRPCTimeoutInSecs. */
const preStartDeadlineMs = 30_000;

/** Frees what inactive pods had; only when all pods are known. */
export function updateAllocatedDevices(context: AdmissionContext): void {
  if (context.sourcesReady()) context.table.releaseInactive(context.activePods());
}

/** Devices for every container of a pod, in order; init containers lend theirs to the later ones. */
export async function admitPod(context: AdmissionContext, pod: AdmittedPod): Promise<Result<null>> {
  const reusable = new Map<string, Set<string>>();
  for (const container of pod.spec.initContainers ?? []) {
    const result = await allocateContainer(context, pod, container, reusable);
    if (!result.ok) return result;
    for (const entry of context.table.entriesOf(pod.uid, container.name)) {
      const lent = reusable.get(entry.resource) ?? new Set();
      // A sidecar keeps its own; an ordinary init container has ended by then.
      for (const id of entry.ids) {
        if (container.restartable === true) lent.delete(id);
        else lent.add(id);
      }
      reusable.set(entry.resource, lent);
    }
  }
  for (const container of pod.spec.containers) {
    const result = await allocateContainer(context, pod, container, reusable);
    if (!result.ok) return result;
    for (const entry of context.table.entriesOf(pod.uid, container.name)) {
      for (const id of entry.ids) reusable.get(entry.resource)?.delete(id);
    }
  }
  return ok(null);
}

/** allocateContainerResources: one Allocate for each resource that the container has not got yet. */
async function allocateContainer(
  context: AdmissionContext,
  pod: AdmittedPod,
  container: ContainerSpec,
  reusable: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Result<null>> {
  const { table } = context;
  let updated = false;
  for (const [resource, count] of Object.entries(container.devices)) {
    if (!table.isKnown(resource)) continue;
    if (!updated) updateAllocatedDevices(context);
    updated = true;
    const wish = { pod, container, resource, count, reusable: reusable.get(resource) ?? new Set() };
    const chosen = await devicesToAllocate(context, wish);
    if (!chosen.ok) return chosen;
    if (chosen.value === null || chosen.value.length === 0) continue;
    const result = await callAllocate(context, wish, chosen.value);
    if (!result.ok) return result;
  }
  return ok(null);
}

interface Wish {
  readonly pod: AdmittedPod;
  readonly container: ContainerSpec;
  readonly resource: string;
  readonly count: number;
  readonly reusable: ReadonlySet<string>;
}

async function callAllocate(
  context: AdmissionContext,
  wish: Wish,
  ids: readonly string[],
): Promise<Result<null>> {
  const { table, registry } = context;
  const { resource } = wish;
  const endpoint = registry.endpoint(resource);
  if (endpoint === undefined) {
    table.recount();
    return fail(`unknown Device Plugin ${resource}`);
  }
  if (endpoint.plugin === null || endpoint.stoppedAtMs !== null) {
    table.recount();
    return fail(`endpoint ${resource} has been stopped`);
  }
  const outcome = await endpoint.plugin.allocate(ids);
  if (!context.isAlive()) return fail('the kubelet ended during Allocate');
  if (outcome.kind === 'failed') {
    table.recount();
    return fail(rpcErrorText(outcome));
  }
  const [grant] = outcome.value;
  if (grant === undefined) {
    return fail('no containers return in allocation response &AllocateResponse{}');
  }
  table.insert({
    podUid: wish.pod.uid,
    container: wish.container.name,
    resource,
    ids: [...ids].sort(),
    grant,
  });
  context.changed();
  return ok(null);
}

// Null: the container has what it needs, or ran on through a restart of the kubelet.
async function devicesToAllocate(
  context: AdmissionContext,
  wish: Wish,
): Promise<Result<readonly string[] | null>> {
  const { table } = context;
  const { pod, container, resource, count } = wish;
  const held = table.held(pod.uid, container.name, resource);
  if (held !== null && held.length !== count) {
    return fail(
      `pod "${pod.uid}" container "${container.name}" changed request for resource "${resource}" from ${held.length} to ${count}`,
    );
  }
  if (!context.sourcesReady() && context.isRunning(pod.uid, container.name)) return ok(null);
  const healthy = table.healthy(resource);
  if (healthy === undefined) return fail(`cannot allocate unregistered device ${resource}`);
  if (healthy.size === 0) {
    return fail(`no healthy devices present; cannot allocate unhealthy devices ${resource}`);
  }
  if (held !== null && held.some((id) => !healthy.has(id))) {
    return fail(
      `previously allocated devices are no longer healthy; cannot allocate unhealthy devices ${resource}`,
    );
  }
  if (held !== null) return ok(null);
  const chosen = [...wish.reusable].slice(0, count);
  if (chosen.length === count) return ok(chosen);
  const inUse = table.inUse(resource);
  const available = [...healthy].filter((id) => !inUse.has(id)).sort();
  const needed = count - chosen.length;
  if (available.length < needed) {
    return fail(
      `requested number of devices unavailable for ${resource}. Requested: ${needed}, Available: ${available.length}`,
    );
  }
  const preferred = await preference(context, wish, available, chosen);
  if (!preferred.ok) return preferred;
  const still = available.filter((id) => !table.inUse(resource).has(id));
  const first = preferred.value.filter((id) => still.includes(id));
  // Without a preference Go takes them in the order of a map: any.
  const others = shuffled(
    still.filter((id) => !first.includes(id)),
    context.random,
  );
  chosen.push(...[...first, ...others].slice(0, needed));
  if (chosen.length < count) {
    return fail(
      `unexpectedly allocated less resources than required. Requested: ${count}, Got: ${chosen.length}`,
    );
  }
  table.reserve(resource, chosen);
  return ok(shuffled(chosen, context.random));
}

async function preference(
  context: AdmissionContext,
  wish: Wish,
  available: readonly string[],
  chosen: readonly string[],
): Promise<Result<readonly string[]>> {
  const endpoint = context.registry.endpoint(wish.resource);
  if (endpoint?.plugin === null || endpoint === undefined) return ok([]);
  if (!endpoint.options.preferredAllocationAvailable) return ok([]);
  const outcome = await endpoint.plugin.getPreferredAllocation({
    available: [...new Set([...available, ...chosen])],
    mustInclude: chosen,
    size: wish.count,
  });
  if (!context.isAlive()) return fail('the kubelet ended during GetPreferredAllocation');
  if (outcome.kind === 'ok') return ok(outcome.value);
  return fail(`device plugin GetPreferredAllocation rpc failed with err: ${rpcErrorText(outcome)}`);
}

function shuffled(ids: readonly string[], random: Random): string[] {
  const left = [...ids];
  const result: string[] = [];
  while (left.length > 0) result.push(...left.splice(random.below(left.length), 1));
  return result;
}

/**
 * GetDeviceRunContainerOptions: PreStartContainer for each resource of the container, before every start.
 * A problem keeps the container waiting; the kubelet tries again.
 */
export async function beforeStart(
  context: AdmissionContext,
  pod: AdmittedPod,
  container: ContainerSpec,
): Promise<Result<null>> {
  let missing = false;
  for (const [resource, count] of Object.entries(container.devices)) {
    if (!context.table.isKnown(resource) || count === 0) continue;
    const result = await callPreStart(context, pod, container.name, resource);
    if (!result.ok) return result;
    missing ||= context.table.held(pod.uid, container.name, resource) === null;
  }
  return missing ? allocateContainer(context, pod, container, new Map()) : ok(null);
}

async function callPreStart(
  context: AdmissionContext,
  pod: AdmittedPod,
  container: string,
  resource: string,
): Promise<Result<null>> {
  const endpoint = context.registry.endpoint(resource);
  if (endpoint === undefined) {
    return fail(`endpoint not found in cache for a registered resource: ${resource}`);
  }
  if (!endpoint.options.preStartRequired) return ok(null);
  const held = context.table.held(pod.uid, container, resource);
  if (held === null) {
    return fail(
      `no devices found allocated in local cache for pod ${pod.uid}, container ${container}, resource ${resource}`,
    );
  }
  const prefix = 'device plugin PreStartContainer rpc failed with err: ';
  if (endpoint.plugin === null || endpoint.stoppedAtMs !== null) {
    return fail(`${prefix}endpoint ${resource} has been stopped`);
  }
  const outcome = await endpoint.plugin.preStart(held, preStartDeadlineMs);
  if (!context.isAlive()) return fail('the kubelet ended during PreStartContainer');
  return outcome.kind === 'ok' ? ok(null) : fail(`${prefix}${rpcErrorText(outcome)}`);
}
