// A small agent behind the door, for tests: it holds offers and leases as data and can be told to hang,
// to throw or to reject. It leases a device once, until it is released.
import type {
  AllocateAnswer,
  DevicePluginDoor,
  OfferedDevice,
  Offers,
  PreStartAnswer,
} from '../../src/kubelet/door.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import type { ResourceName } from '../../src/policy/policy.ts';

/** A resource name, unchecked. */
export function resourceName(text: string): ResourceName {
  return text as ResourceName;
}

/** An offered device with defaults. */
export function device(id: string, more: Partial<OfferedDevice> = {}): OfferedDevice {
  return { id: id as PciAddress, healthy: true, numaNodes: [0], memberCount: 1, ...more };
}

/** What the door does with a call beside answering. */
export type Mood = 'answer' | 'hang' | 'throw' | 'reject';

export class TestDoor implements DevicePluginDoor {
  readonly leases = new Map<string, string>();
  readonly calls: string[] = [];
  mood: Mood = 'answer';
  preStartAnswer: PreStartAnswer = { kind: 'ready' };
  #offers: Offers;
  readonly #listeners = new Set<() => void>();

  constructor(offers: Record<string, readonly OfferedDevice[]> = {}) {
    this.#offers = new Map(
      Object.entries(offers).map(([name, list]) => [resourceName(name), list]),
    );
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  offers(): Offers {
    return this.#offers;
  }

  onOffersChanged(listener: () => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  set(offers: Record<string, readonly OfferedDevice[]>): void {
    this.#offers = new Map(
      Object.entries(offers).map(([name, list]) => [resourceName(name), list]),
    );
    for (const listener of this.#listeners) listener();
  }

  release(id: string): void {
    this.leases.delete(id);
  }

  allocate(resource: ResourceName, ids: readonly string[]): Promise<AllocateAnswer> {
    this.calls.push(`allocate ${resource} ${[...ids].sort().join(',')}`);
    return this.#inMood(() => {
      const taken = ids.find((id) => this.leases.has(id));
      if (taken !== undefined) {
        return {
          kind: 'refused',
          reason: 'AlreadyLeased',
          message: `${taken} is leased to another pod; wait until it has ended`,
        };
      }
      for (const id of ids) this.leases.set(id, resource);
      return {
        kind: 'granted',
        grant: {
          envs: { DEVICES: [...ids].sort().join(',') },
          deviceNodes: [
            { hostPath: '/dev/vfio/vfio', containerPath: '/dev/vfio/vfio', permissions: 'mrw' },
          ],
          cdiDevices: ids.map((id) => `${resource}=${id}`),
        },
      };
    });
  }

  preStart(
    resource: ResourceName,
    ids: readonly string[],
    waitMs: number,
  ): Promise<PreStartAnswer> {
    this.calls.push(`preStart ${resource} ${[...ids].sort().join(',')} ${waitMs}`);
    return this.#inMood(() => this.preStartAnswer);
  }

  #inMood<Answer>(answer: () => Answer): Promise<Answer> {
    switch (this.mood) {
      case 'answer':
        return Promise.resolve(answer());
      case 'hang':
        return new Promise(() => undefined);
      case 'reject':
        return Promise.reject(new Error('rejected on purpose'));
      case 'throw':
        throw new Error('thrown on purpose');
    }
  }
}
