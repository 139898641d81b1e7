// The device plugin side as a whole: one plugin for each resource that the door offers, as resources come
// and go. It decides nothing about devices.
import { sleep, type Timer } from '../../base/clock.ts';
import type { ResourceName } from '../../policy/policy.ts';
import { FolderWatch } from './folder-watch.ts';
import type { PluginOptions } from './options.ts';
import { ResourcePlugin, type ResourceState } from './resource-plugin.ts';
import { checkFolder, removeStaleSockets } from './sockets.ts';

interface Entry {
  readonly plugin: ResourcePlugin;
  /** Set while the resource is not offered any more. */
  retiring: Timer | null;
}

/** How the node stands with the kubelet. */
export interface DevicePluginsState {
  /** Every offered resource is registered with the kubelet that runs now. */
  readonly registered: boolean;
  /** One for each served resource, in name order. */
  readonly resources: readonly ResourceState[];
}

/** All device plugins of this agent. start, then stop; not again after that. */
export class DevicePlugins {
  readonly #options: PluginOptions;
  readonly #watch: FolderWatch;
  readonly #entries = new Map<ResourceName, Entry>();
  readonly #closing = new Map<ResourceName, Promise<void>>();
  #offersWatch: { close(): void } | null = null;
  #flush: Timer | null = null;
  /** When lists were last pushed (monotonic). */
  #followedAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: PluginOptions) {
    this.#options = options;
    this.#watch = new FolderWatch(options.folder, options.clock, options.timing.pollMs, () => {
      for (const { plugin } of this.#entries.values()) plugin.wake();
    });
  }

  /**
   * Removes sockets that a killed agent left, then serves and registers in the background: the kubelet need
   * not be there. Throws WG_KUBELET_SOCKET_FAILED when the folder's path is too long for a socket.
   */
  async start(): Promise<void> {
    const { folder, door, log } = this.#options;
    checkFolder(folder);
    const removed = await removeStaleSockets(folder);
    if (removed.length > 0) log.info('kubelet-stale-sockets-removed', { folder, removed });
    if (this.#stopped) return;
    this.#offersWatch = door.onOffersChanged(() => this.#offersChanged());
    this.#watch.start();
    this.#follow();
  }

  /** Ends all streams, closes all servers, removes all sockets. Resolves when that is done. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#offersWatch?.close();
    this.#watch.close();
    this.#flush?.clear();
    for (const resource of [...this.#entries.keys()]) this.#close(resource);
    await Promise.all(this.#closing.values());
  }

  /** How every resource stands now. */
  state(): DevicePluginsState {
    const offered = this.#options.door.offers();
    const resources = [...this.#entries.values()]
      .map(({ plugin }) => plugin.state())
      .sort((a, b) => (a.resource < b.resource ? -1 : 1));
    const registered = new Set(
      resources.filter((one) => one.registered).map((one) => one.resource),
    );
    return {
      registered: [...offered.keys()].every((resource) => registered.has(resource)),
      resources,
    };
  }

  #offersChanged(): void {
    if (this.#flush !== null || this.#stopped) return;
    const { clock, timing } = this.#options;
    // The first of a moment goes at once; those that follow it closely go together.
    const nextMs = this.#followedAtMs + timing.coalesceMs;
    this.#flush = clock.after(Math.max(0, nextMs - clock.monotonicMs()), () => {
      this.#flush = null;
      this.#follow();
    });
  }

  // Makes the set of plugins fit the offers, and pushes lists. The door keeps a resource among its offers
  // while a group is leased under it, so one that is gone from there serves nobody any more; its list is
  // empty for a while, for the kubelet to take the capacity off the node, and then its server closes.
  #follow(): void {
    if (this.#stopped) return;
    const { clock, door } = this.#options;
    this.#followedAtMs = clock.monotonicMs();
    const offers = door.offers();
    for (const resource of offers.keys()) this.#serve(resource);
    for (const [resource, entry] of this.#entries) {
      if (!offers.has(resource)) this.#retire(resource, entry);
      entry.plugin.push();
    }
  }

  #serve(resource: ResourceName): void {
    const entry = this.#entries.get(resource);
    if (entry === undefined) {
      // Two servers of one resource would fight over the kubelet: the old one has to be gone first.
      if (this.#closing.has(resource)) return;
      const plugin = new ResourcePlugin(this.#options, resource);
      this.#entries.set(resource, { plugin, retiring: null });
      plugin.start();
      return;
    }
    entry.retiring?.clear();
    entry.retiring = null;
  }

  #retire(resource: ResourceName, entry: Entry): void {
    if (entry.retiring !== null) return;
    const { clock, log, timing } = this.#options;
    log.info('kubelet-resource-retiring', { resource, closesInMs: timing.retireMs });
    entry.retiring = clock.after(timing.retireMs, () => this.#close(resource));
  }

  #close(resource: ResourceName): void {
    const entry = this.#entries.get(resource);
    if (entry === undefined) return;
    this.#entries.delete(resource);
    entry.retiring?.clear();
    const closed = this.#closeAndSettle(entry.plugin).then(() => {
      this.#closing.delete(resource);
      this.#follow();
      return undefined;
    });
    this.#closing.set(resource, closed);
  }

  // The kubelet must have noticed the end of the stream before the same name registers again.
  async #closeAndSettle(plugin: ResourcePlugin): Promise<void> {
    await plugin.stop();
    if (!this.#stopped) await sleep(this.#options.clock, this.#options.timing.settleMs);
  }
}
