// What the device plugin tells about itself in numbers; observe/ makes metrics of it.
import type { ResourceName } from '../policy/policy.ts';

/** Callbacks for measurements. They must return at once and not throw. */
export interface DevicePluginMetrics {
  /** One Allocate was answered. */
  allocated(resource: ResourceName, seconds: number, outcome: 'granted' | 'refused'): void;
  /** One PreStartContainer was answered. */
  preStarted(resource: ResourceName, seconds: number, outcome: 'ready' | 'refused'): void;
  /** One attempt to register ended. */
  registration(resource: ResourceName, outcome: 'registered' | 'failed'): void;
  /** One list was written to one ListAndWatch stream. */
  listSent(resource: ResourceName): void;
  /** The number of open ListAndWatch streams changed. */
  openStreams(resource: ResourceName, count: number): void;
}

/** Measures nothing. */
export const noDevicePluginMetrics: DevicePluginMetrics = {
  allocated() {},
  preStarted() {},
  registration() {},
  listSent() {},
  openStreams() {},
};
