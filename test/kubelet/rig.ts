// A kubelet stand-in and the device plugins on real unix sockets in a temporary folder.
import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import { noDevicePluginMetrics, type DevicePluginMetrics } from '../../src/kubelet/metrics.ts';
import { defaultRequestLimits, type RequestLimits } from '../../src/kubelet/requests.ts';
import { DevicePlugins } from '../../src/kubelet/server/device-plugins.ts';
import { defaultPluginTiming, type PluginTiming } from '../../src/kubelet/server/options.ts';
import { loadDevicePluginWire, loadPodResourcesWire } from '../../src/kubelet/wire/load.ts';
import { GrpcKubelet } from '../../src/standin/grpc-kubelet.ts';
import { StandinKubelet, type StandinOptions } from '../../src/standin/kubelet.ts';
import { realClock } from './real-time.ts';
import type { TestDoor } from './test-door.ts';

const protos = join(import.meta.dirname, '..', '..', 'protos');
export const devicePluginWire = loadDevicePluginWire(protos);
export const podResourcesWire = loadPodResourcesWire(protos);

/** Times that keep tests short and races visible. */
export const quickTiming: PluginTiming = {
  ...defaultPluginTiming,
  registerMs: 2000,
  backoffFirstMs: 20,
  backoffMaxMs: 100,
  streamlessMs: 300,
  settleMs: 50,
  drainMs: 200,
  pollMs: 100,
  coalesceMs: 5,
  retireMs: 100,
};

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RigOptions {
  readonly timing?: Partial<PluginTiming>;
  readonly limits?: Partial<RequestLimits>;
  readonly metrics?: Partial<DevicePluginMetrics>;
  readonly standin?: Partial<StandinOptions>;
  readonly seed?: number;
}

export class Rig {
  readonly folder: string;
  readonly pluginFolder: string;
  readonly podResourcesFolder: string;
  readonly standin: StandinKubelet;
  readonly kubelet: GrpcKubelet;
  readonly lines: Line[] = [];
  readonly #options: RigOptions;
  readonly #plugins: DevicePlugins[] = [];
  #made = 0;

  private constructor(folder: string, options: RigOptions) {
    this.folder = folder;
    this.#options = options;
    this.pluginFolder = join(folder, 'device-plugins');
    this.podResourcesFolder = join(folder, 'pod-resources');
    this.standin = new StandinKubelet({
      clock: realClock,
      random: seededRandom(options.seed ?? 1),
      sourcesReadyMs: 20,
      nodeStatusMs: 10,
      syncMs: 50,
      removeMs: 20,
      ...options.standin,
    });
    this.kubelet = new GrpcKubelet({
      kubelet: this.standin,
      clock: realClock,
      wire: { devicePlugin: devicePluginWire, podResources: podResourcesWire },
      pluginFolder: this.pluginFolder,
      podResourcesFolder: this.podResourcesFolder,
      dialMs: 500,
    });
  }

  static async make(options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), 'wg-kubelet-')), options);
    await mkdir(rig.pluginFolder);
    return rig;
  }

  /** Device plugins over `door`, not started; stopped with the rig. */
  plugins(door: TestDoor, timing: Partial<PluginTiming> = {}): DevicePlugins {
    this.#made += 1;
    const plugins = new DevicePlugins({
      folder: this.pluginFolder,
      door,
      wire: devicePluginWire,
      clock: realClock,
      random: seededRandom(1000 + this.#made),
      log: this.#log(),
      metrics: { ...noDevicePluginMetrics, ...this.#options.metrics },
      limits: { ...defaultRequestLimits, ...this.#options.limits },
      timing: { ...quickTiming, ...this.#options.timing, ...timing },
    });
    this.#plugins.push(plugins);
    return plugins;
  }

  events(event: string): readonly Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Our sockets in the kubelet's folder. */
  async sockets(): Promise<readonly string[]> {
    const names = await readdir(this.pluginFolder);
    return names.filter((name) => name.startsWith('wg-')).sort();
  }

  async stop(): Promise<void> {
    for (const plugins of this.#plugins) await plugins.stop();
    await this.kubelet.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #log(): Log {
    const at =
      (level: Line['level']) =>
      (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        this.lines.push({ level, event, fields });
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** Rigs of one test file: each with a running kubelet and started plugins; all are stopped by `stopAll`. */
export class Rigs {
  readonly #rigs: Rig[] = [];

  /** A rig without a kubelet. */
  async bare(options: RigOptions = {}): Promise<Rig> {
    const rig = await Rig.make(options);
    this.#rigs.push(rig);
    return rig;
  }

  /** A rig whose kubelet and device plugins run. */
  async started(
    door: TestDoor,
    options: RigOptions = {},
  ): Promise<{ readonly rig: Rig; readonly plugins: DevicePlugins }> {
    const rig = await this.bare(options);
    await rig.kubelet.start();
    const plugins = rig.plugins(door);
    await plugins.start();
    return { rig, plugins };
  }

  async stopAll(): Promise<void> {
    for (const rig of this.#rigs) await rig.stop();
  }
}
