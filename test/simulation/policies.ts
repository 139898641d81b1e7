// Random policies: broad ones that meet each other, so that names, priorities and consent are all in play.
import type { Random } from '../../src/base/random.ts';
import type { DeviceSelector, PassthroughPolicy, ResourceName } from '../../src/policy/policy.ts';

const selectors: readonly DeviceSelector[] = [
  { class: '0200' },
  { class: '0108' },
  { class: '03' },
  { vendor: '8086' },
  { vendor: '1b36' },
  { vendor: '10de' },
  { address: '0000:1?:00.0' },
  { driver: 'e1000e' },
];

/** Resource names of the simulation. */
export const resourceNames = ['example.com/a', 'example.com/b', 'example.com/c'] as const;

/** One to three policies. */
export function randomPolicies(random: Random): readonly PassthroughPolicy[] {
  return resourceNames.slice(0, 1 + random.below(3)).map((resourceName, index) => ({
    name: `p${index}`,
    createdAt: '',
    resourceName: resourceName as ResourceName,
    nodeSelector: {},
    priority: random.below(3),
    devices: [random.pick(selectors), random.pick(selectors)],
    companions: random.pick(['Any', 'Any', 'SameSlot'] as const),
    companionDevices: [],
    primaries: { min: 1, max: random.pick([1, 2, 8]) },
    binding: random.pick(['OnAllocate', 'OnAllocate', 'Eager'] as const),
    access: 'Auto',
    vfioDriver: 'vfio-pci',
    waive: [],
    reset: random.pick(['Preferred', 'Required', 'Never'] as const),
    deviceNodes: null,
  }));
}
