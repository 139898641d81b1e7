// The tables of the kubelet's device manager: which devices there are, which are taken, and which
// container has which, with the quirks of when they are freed (pkg/kubelet/cm/devicemanager manager.go
// and pod_devices.go). No calls to plugins here.
import type { ContainerGrant } from '../kubelet/door.ts';
import { decodeCheckpoint, encodeCheckpoint, type PodDeviceEntry } from './checkpoint.ts';
import type { SeenDevice } from './endpoint.ts';

/** How many devices a node shows of one resource. */
export interface Quantity {
  readonly capacity: number;
  readonly allocatable: number;
}

function setOf(map: Map<string, Set<string>>, key: string): Set<string> {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = new Set<string>();
  map.set(key, made);
  return made;
}

/** Devices, and who has them. */
export class DeviceTable {
  readonly #healthy = new Map<string, Set<string>>();
  readonly #unhealthy = new Map<string, Set<string>>();
  readonly #topology = new Map<string, Map<string, readonly number[]>>();
  #allocated = new Map<string, Set<string>>();
  #entries: PodDeviceEntry[] = [];

  /** A list came: it replaces everything known of the resource's devices. */
  update(resource: string, devices: readonly SeenDevice[]): void {
    const ids = (healthy: boolean): Set<string> =>
      new Set(devices.filter((one) => one.healthy === healthy).map((one) => one.id));
    this.#healthy.set(resource, ids(true));
    this.#unhealthy.set(resource, ids(false));
    this.#topology.set(resource, new Map(devices.map((one) => [one.id, one.numaNodes])));
  }

  /** The plugin is gone: all its devices are unhealthy from now on. */
  markUnhealthy(resource: string): void {
    const unhealthy = setOf(this.#unhealthy, resource);
    for (const id of setOf(this.#healthy, resource)) unhealthy.add(id);
    this.#healthy.set(resource, new Set());
  }

  /** Forgets a resource whose plugin stayed away; what containers have of it is kept. */
  forget(resource: string): void {
    this.#healthy.delete(resource);
    this.#unhealthy.delete(resource);
  }

  /** Resources that are registered, or were when the checkpoint was written. */
  resources(): readonly string[] {
    return [...this.#healthy.keys()].sort();
  }

  quantity(resource: string): Quantity {
    const allocatable = this.#healthy.get(resource)?.size ?? 0;
    return { allocatable, capacity: allocatable + (this.#unhealthy.get(resource)?.size ?? 0) };
  }

  /** Healthy devices, or undefined when the resource is not registered. */
  healthy(resource: string): ReadonlySet<string> | undefined {
    return this.#healthy.get(resource);
  }

  /** Devices that admission counts as taken. */
  inUse(resource: string): ReadonlySet<string> {
    return this.#allocated.get(resource) ?? new Set();
  }

  /** isDevicePluginResource: registered now, or something of it is allocated. */
  isKnown(resource: string): boolean {
    return this.#healthy.has(resource) || this.#allocated.has(resource);
  }

  nodesOf(resource: string, id: string): readonly number[] {
    return this.#topology.get(resource)?.get(id) ?? [];
  }

  /** Marks devices as taken before the plugin is asked. */
  reserve(resource: string, ids: readonly string[]): void {
    for (const id of ids) setOf(this.#allocated, resource).add(id);
  }

  /** Takes back every mark that no container stands for. */
  recount(): void {
    this.#allocated = new Map();
    for (const entry of this.#entries) this.reserve(entry.resource, entry.ids);
  }

  /** A container got devices. */
  insert(entry: PodDeviceEntry): void {
    this.#entries.push(entry);
  }

  /** Devices of a container, null when it has none of the resource. */
  held(podUid: string, container: string, resource: string): readonly string[] | null {
    return this.#find(podUid, container, resource)?.ids ?? null;
  }

  /** Everything that a container has. */
  entriesOf(podUid: string, container: string): readonly PodDeviceEntry[] {
    return this.#entries.filter((one) => one.podUid === podUid && one.container === container);
  }

  /** All answers for a container, merged: of two that name the same thing the first stays. */
  grantOf(podUid: string, container: string): ContainerGrant {
    const envs: Record<string, string> = {};
    const nodes = new Map<string, ContainerGrant['deviceNodes'][number]>();
    const cdi = new Set<string>();
    for (const { grant } of this.entriesOf(podUid, container)) {
      for (const [name, value] of Object.entries(grant.envs)) envs[name] ??= value;
      for (const node of grant.deviceNodes) {
        if (!nodes.has(node.containerPath)) nodes.set(node.containerPath, node);
      }
      for (const name of grant.cdiDevices) cdi.add(name);
    }
    return { envs, deviceNodes: [...nodes.values()], cdiDevices: [...cdi] };
  }

  /** UpdateAllocatedDevices: devices of pods that are not active become free. Nobody is told. */
  releaseInactive(activeUids: ReadonlySet<string>): void {
    const kept = this.#entries.filter((entry) => activeUids.has(entry.podUid));
    if (kept.length === this.#entries.length) return;
    this.#entries = kept;
    this.recount();
  }

  /** The checkpoint as it would be written now. */
  checkpoint(): string {
    const registered: Record<string, readonly string[]> = {};
    for (const [resource, ids] of this.#healthy) registered[resource] = [...ids].sort();
    return encodeCheckpoint({ entries: this.#entries, registered }, (resource, id) =>
      this.nodesOf(resource, id),
    );
  }

  /** A table as a starting kubelet makes it: allocations as they were, registered resources with no devices. */
  static restore(checkpoint: string | null): DeviceTable {
    const table = new DeviceTable();
    const data = checkpoint === null ? null : decodeCheckpoint(checkpoint);
    if (data === null) return table;
    table.#entries = [...data.entries];
    table.recount();
    for (const resource of Object.keys(data.registered)) {
      table.#healthy.set(resource, new Set());
      table.#unhealthy.set(resource, new Set());
    }
    return table;
  }

  #find(podUid: string, container: string, resource: string): PodDeviceEntry | undefined {
    return this.entriesOf(podUid, container).find((entry) => entry.resource === resource);
  }
}
