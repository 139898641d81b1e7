// The stand-in on real sockets, where a kubelet has them: Registration in the device plugin folder,
// PodResources in its own. A start empties the plugin folder of sockets; a kill leaves stale ones behind.
import { link, lstat, mkdir, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';
import { CodedError } from '../base/errors.ts';
import type { RegistrationHandlers } from '../kubelet/gen/v1beta1/Registration.ts';
import type { PodResourcesListerHandlers } from '../kubelet/gen/v1/PodResourcesLister.ts';
import type { DevicePluginWire, PodResourcesWire } from '../kubelet/wire/load.ts';
import { unixAddress } from '../kubelet/wire/socket.ts';
import { dialPlugin } from './grpc-endpoint.ts';
import type { StandinKubelet } from './kubelet.ts';
import { listResponse } from './wire.ts';

/** Where the stand-in's sockets are, and what it speaks. */
export interface GrpcKubeletOptions {
  readonly kubelet: StandinKubelet;
  readonly clock: Clock;
  readonly wire: {
    readonly devicePlugin: DevicePluginWire;
    readonly podResources: PodResourcesWire;
  };
  /** Stands for /var/lib/kubelet/device-plugins. */
  readonly pluginFolder: string;
  /** Stands for /var/lib/kubelet/pod-resources. */
  readonly podResourcesFolder: string;
  /** How long a plugin is dialled; the kubelet's 10 s by default. */
  readonly dialMs?: number;
}

// The kubelet's limit for all clients of PodResources together (DefaultQPS, DefaultBurstTokens).
const listsPerSecond = 100;
const listsAtOnce = 10;

/** A kubelet process on unix sockets. */
export class GrpcKubelet {
  readonly #options: GrpcKubeletOptions;
  #servers: { readonly server: Server; readonly path: string }[] = [];

  constructor(options: GrpcKubeletOptions) {
    this.#options = options;
  }

  /** Path of the registration socket. */
  get socket(): string {
    return join(this.#options.pluginFolder, 'kubelet.sock');
  }

  /**
   * Empties the plugin folder of sockets (unless `wipe` is false: a plugin may have bound its socket just
   * after the wipe), starts the kubelet and serves. Throws WG_LISTEN_FAILED.
   */
  async start(wipe = true): Promise<void> {
    const { pluginFolder, podResourcesFolder, kubelet, wire } = this.#options;
    await mkdir(pluginFolder, { recursive: true, mode: 0o750 });
    await mkdir(podResourcesFolder, { recursive: true, mode: 0o750 });
    if (wipe) await removeSockets(pluginFolder);
    kubelet.start();
    const registration = new Server();
    registration.addService(wire.devicePlugin.Registration.service, this.#registration());
    const podResources = new Server();
    podResources.addService(wire.podResources.PodResourcesLister.service, this.#podResources());
    await this.#serve(podResources, join(podResourcesFolder, 'kubelet.sock'));
    await this.#serve(registration, this.socket);
  }

  /** Ends the kubelet as by SIGKILL: connections break, containers run on, socket files stay and answer nobody. */
  async kill(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    this.#options.kubelet.stop();
    for (const { server, path } of servers) {
      // Closing a listening socket in Node unlinks its path; a killed process would have left it.
      const kept = `${path}.kept`;
      const linked = await link(path, kept).then(
        () => true,
        () => false,
      );
      server.forceShutdown();
      if (linked) await rename(kept, path);
    }
  }

  /** kill, then start. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Ends the kubelet and removes its sockets. */
  async stop(): Promise<void> {
    const paths = this.#servers.map(({ path }) => path);
    await this.kill();
    for (const path of paths) await unlink(path).catch(() => undefined);
  }

  async #serve(server: Server, path: string): Promise<void> {
    await unlink(path).catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(unixAddress(path), ServerCredentials.createInsecure(), (cause) => {
        if (cause === null) resolve();
        else
          reject(
            new CodedError('WG_LISTEN_FAILED', `cannot serve ${path}: ${cause.message}`, { cause }),
          );
      });
    });
    this.#servers.push({ server, path });
  }

  #registration(): RegistrationHandlers {
    const { kubelet, clock, wire, pluginFolder } = this.#options;
    const dialMs = this.#options.dialMs ?? 10_000;
    return {
      Register: (call, callback) => {
        const { version, endpoint, resource_name: resource } = call.request;
        const dial = (name: string) =>
          dialPlugin(wire.devicePlugin, clock, { folder: pluginFolder, endpoint: name }, dialMs);
        void kubelet.register({ version, endpoint, resource }, dial).then((answer) => {
          if (answer.kind === 'accepted') callback(null, {});
          else callback({ code: status.UNKNOWN, details: answer.message });
          return undefined;
        });
      },
    };
  }

  #podResources(): PodResourcesListerHandlers {
    const { kubelet } = this.#options;
    const allowed = this.#rateLimit();
    const limited = { code: status.RESOURCE_EXHAUSTED, details: 'rejected by rate limit' };
    return {
      List: (_call, callback) => {
        const pods = allowed() ? kubelet.list() : null;
        if (pods === null) callback(limited);
        else callback(null, listResponse(pods));
      },
      GetAllocatableResources: (_call, callback) => {
        const resources = kubelet.allocatable() ?? new Map<string, readonly string[]>();
        callback(null, {
          devices: [...resources].map(([resource_name, ids]) => ({
            resource_name,
            device_ids: [...ids],
          })),
        });
      },
      Get: (call, callback) => {
        const { pod_namespace: namespace, pod_name: name } = call.request;
        const pod = kubelet.list()?.find((one) => one.namespace === namespace && one.pod === name);
        const [found] = pod === undefined ? [] : (listResponse([pod]).pod_resources ?? []);
        if (found === undefined) {
          callback({
            code: status.UNKNOWN,
            details: `pod ${name} in namespace ${namespace} not found`,
          });
        } else callback(null, { pod_resources: found });
      },
    };
  }

  #rateLimit(): () => boolean {
    const { clock } = this.#options;
    let tokens = listsAtOnce;
    let atMs = clock.monotonicMs();
    return () => {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(listsAtOnce, tokens + ((nowMs - atMs) / 1000) * listsPerSecond);
      atMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    };
  }
}

async function removeSockets(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if ((await lstat(path)).isSocket()) await unlink(path);
  }
}
