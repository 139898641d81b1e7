// What every part of the device plugin server is given, and the times it keeps.
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { DevicePluginDoor } from '../door.ts';
import type { DevicePluginMetrics } from '../metrics.ts';
import type { RequestLimits } from '../requests.ts';
import type { DevicePluginWire } from '../wire/load.ts';

/** Times of registration and shutdown, in milliseconds. */
export interface PluginTiming {
  /** Deadline of one Register. The kubelet dials us inside it for up to 10 s. */
  readonly registerMs: number;
  /** First wait after a failed attempt; doubled each time up to backoffMaxMs, with jitter. */
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
  /** Registered, kubelet.sock there, and no ListAndWatch stream for this long: register again. */
  readonly streamlessMs: number;
  /**
   * Wait between the end of our streams and the next Register to the same kubelet: it disconnects by
   * resource name when an old stream ends, and would take down a new registration (handler.go runClient).
   */
  readonly settleMs: number;
  /** Running calls may go on this long when a server closes. */
  readonly drainMs: number;
  /** How often the folder is looked at when no event came. */
  readonly pollMs: number;
  /** From one push to the next at least: changes of the offers that follow each other within this time go together. */
  readonly coalesceMs: number;
  /** A resource that is no longer offered is listed as empty this long before its server closes. */
  readonly retireMs: number;
}

/** The times in use. */
export const defaultPluginTiming: PluginTiming = {
  registerMs: 15_000,
  backoffFirstMs: 200,
  backoffMaxMs: 10_000,
  streamlessMs: 10_000,
  settleMs: 100,
  drainMs: 1000,
  pollMs: 1000,
  coalesceMs: 10,
  retireMs: 30_000,
};

/** Everything that the device plugin server depends on. */
export interface PluginOptions {
  /** The kubelet's device plugin folder (`/var/lib/kubelet/device-plugins`). */
  readonly folder: string;
  readonly door: DevicePluginDoor;
  readonly wire: DevicePluginWire;
  readonly clock: Clock;
  /** Names sockets and spreads retries. Two agents must not have the same seed. */
  readonly random: Random;
  readonly log: Log;
  readonly metrics: DevicePluginMetrics;
  readonly limits: RequestLimits;
  readonly timing: PluginTiming;
}
