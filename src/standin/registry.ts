// Registration as the kubelet does it (devicemanager plugin/v1beta1 server.go and handler.go): the newest
// registration of a name wins, the old connection is left alone, and the end of any stream of that name
// takes down whoever holds the name then.
import type { Clock } from '../base/clock.ts';
import type { DeviceTable } from './device-table.ts';
import { rpcErrorText, type PluginEndpoint, type SeenOptions } from './endpoint.ts';

/** A RegisterRequest. */
export interface Registration {
  readonly version: string;
  /** Socket file name. */
  readonly endpoint: string;
  readonly resource: string;
}

/** What the plugin is answered. */
export type RegisterAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly message: string };

/** Opens a connection to a plugin; a text when it cannot be dialled (the kubelet tries for 10 s). */
export type Dial = (endpoint: string) => Promise<PluginEndpoint | string>;

/** One endpoint of a resource as admission uses it. */
export interface RegisteredEndpoint {
  readonly plugin: PluginEndpoint | null;
  readonly options: SeenOptions;
  /** When it was lost; null while it is connected. */
  stoppedAtMs: number | null;
}

/** How the registry behaves where kubelets differ from run to run. */
export interface RegistryManners {
  /** The end of an old stream disconnects the new registration (the real kubelet). */
  readonly runClientRace: boolean;
  /** How late the goroutine that runs a stream is scheduled after its end. */
  readonly streamEndMs: number;
}

// endpointStopGracePeriod: a lost plugin's resource stays on the node this long.
const graceMs = 5 * 60_000;

/** Names, connections and streams of plugins. One for each kubelet process. */
export class PluginRegistry {
  readonly #table: DeviceTable;
  readonly #clock: Clock;
  readonly #manners: RegistryManners;
  readonly #changed: () => void;
  readonly #clients = new Map<string, PluginEndpoint>();
  readonly #connections = new Set<PluginEndpoint>();
  readonly #endpoints = new Map<string, RegisteredEndpoint>();
  #closed = false;

  /** `changed` is called after every change of the table that the checkpoint must hold. */
  constructor(table: DeviceTable, clock: Clock, manners: RegistryManners, changed: () => void) {
    this.#table = table;
    this.#clock = clock;
    this.#manners = manners;
    this.#changed = changed;
    for (const resource of table.resources()) {
      // newStoppedEndpointImpl: known from the checkpoint, gone until it registers again.
      const options = { preStartRequired: false, preferredAllocationAvailable: false };
      this.#endpoints.set(resource, { plugin: null, options, stoppedAtMs: clock.monotonicMs() });
    }
  }

  /** Dials the plugin, asks for its options, and only then answers; the list comes afterwards. */
  async register(request: Registration, dial: Dial): Promise<RegisterAnswer> {
    if (request.version !== 'v1beta1') {
      const message = `requested API version "${request.version}" is not supported by kubelet. Supported version is ["v1beta1"]`;
      return { kind: 'refused', message };
    }
    if (!isExtendedResourceName(request.resource)) {
      return { kind: 'refused', message: `the ResourceName "${request.resource}" is invalid` };
    }
    const plugin = await dial(request.endpoint);
    if (typeof plugin === 'string') {
      this.#clients.delete(request.resource);
      return { kind: 'refused', message: plugin };
    }
    this.#connections.add(plugin);
    this.#clients.set(request.resource, plugin);
    const outcome = await plugin.getOptions();
    if (outcome.kind === 'failed' || this.#closed) {
      this.#clients.delete(request.resource);
      this.#drop(plugin);
      const why = outcome.kind === 'failed' ? rpcErrorText(outcome) : 'the kubelet is stopping';
      return { kind: 'refused', message: `failed to get device plugin options: ${why}` };
    }
    this.#endpoints.set(request.resource, { plugin, options: outcome.value, stoppedAtMs: null });
    this.#run(request.resource, plugin);
    return { kind: 'accepted' };
  }

  /** The endpoint of a resource, stopped or not. */
  endpoint(resource: string): RegisteredEndpoint | undefined {
    return this.#endpoints.get(resource);
  }

  /** GetCapacity's side effect: resources whose plugin stayed away too long are deleted. */
  forgetExpired(): void {
    for (const resource of this.#table.resources()) {
      const endpoint = this.#endpoints.get(resource);
      const expired =
        endpoint === undefined ||
        (endpoint.stoppedAtMs !== null &&
          this.#clock.monotonicMs() - endpoint.stoppedAtMs > graceMs);
      if (!expired) continue;
      this.#endpoints.delete(resource);
      this.#table.forget(resource);
      this.#changed();
    }
  }

  /** A fault: the connection that holds this name breaks. Nothing happens when there is none. */
  drop(resource: string): void {
    this.#clients.get(resource)?.close();
  }

  /** The kubelet process ends: every connection breaks, nothing is marked. */
  close(): void {
    this.#closed = true;
    for (const plugin of this.#connections) plugin.close();
    this.#connections.clear();
  }

  #run(resource: string, plugin: PluginEndpoint): void {
    plugin.listAndWatch(
      (devices) => {
        if (this.#closed) return;
        this.#table.update(resource, devices);
        this.#changed();
      },
      () => {
        const { streamEndMs } = this.#manners;
        if (streamEndMs === 0) this.#streamEnded(resource, plugin);
        else this.#clock.after(streamEndMs, () => this.#streamEnded(resource, plugin));
      },
    );
  }

  // runClient: when a stream ends, the client is looked up by name again, and that one is disconnected.
  #streamEnded(resource: string, ended: PluginEndpoint): void {
    if (this.#closed) return;
    this.#drop(ended);
    const client = this.#clients.get(resource);
    if (client === undefined || (client !== ended && !this.#manners.runClientRace)) return;
    this.#clients.delete(resource);
    this.#table.markUnhealthy(resource);
    const endpoint = this.#endpoints.get(resource);
    if (endpoint !== undefined) endpoint.stoppedAtMs = this.#clock.monotonicMs();
    this.#drop(client);
    this.#changed();
  }

  #drop(plugin: PluginEndpoint): void {
    this.#connections.delete(plugin);
    plugin.close();
  }
}

/** IsExtendedResourceName: a qualified name with a prefix that is not Kubernetes' own. */
export function isExtendedResourceName(name: string): boolean {
  if (name.includes('kubernetes.io/') || name.startsWith('requests.')) return false;
  const [prefix, part, ...rest] = name.split('/');
  if (prefix === undefined || part === undefined || rest.length > 0) return false;
  const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
  return (
    `requests.${prefix}`.length <= 253 &&
    subdomain.test(prefix) &&
    part.length <= 63 &&
    qualified.test(part)
  );
}
