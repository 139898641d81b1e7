// PassthroughPolicy objects that are taken, one field at a time.
import { minimal, named, withDevice, withSpec } from './policy-objects.ts';

/** The policy in force that the smallest object describes. */
export const defaults = {
  name: 'a40',
  createdAt: '',
  resourceName: 'nvidia.com/GA102GL_A40',
  nodeSelector: {},
  priority: 0,
  devices: [{ vendor: '10de', device: '2235' }],
  companions: 'SameSlot',
  companionDevices: [],
  primaries: { min: 1, max: 1 },
  binding: 'OnAllocate',
  access: 'Auto',
  vfioDriver: 'vfio-pci',
  waive: [],
  reset: 'Preferred',
  deviceNodes: null,
};

/** What is taken: the object, and in what the policy in force differs from the defaults. */
export const goodPolicies: Record<string, [object: unknown, differs: object]> = {
  'the smallest policy, with every default filled in': [minimal(), {}],
  'an object as the API server gives it, status included': [
    {
      ...minimal(),
      metadata: {
        ...{ name: 'a40', uid: '0b1', resourceVersion: '7', generation: 2, managedFields: [{}] },
        ...{
          creationTimestamp: '2026-01-02T03:04:05Z',
          labels: { team: 'ml' },
          annotations: { 'a/b': 'any text\n' },
        },
      },
      status: { anything: 1 },
    },
    { createdAt: '2026-01-02T03:04:05Z' },
  ],
  'a node selector': [
    withSpec({ nodeSelector: { matchLabels: { 'example.com/gpu': 'a40', zone: '' } } }),
    { nodeSelector: { 'example.com/gpu': 'a40', zone: '' } },
  ],
  'a negative priority': [withSpec({ priority: -5 }), { priority: -5 }],
  'every field of a selector': [
    withDevice({
      ...{
        vendor: '15b3',
        device: '101e',
        subsystemVendor: '15b3',
        subsystemDevice: '0001',
        class: '0200',
      },
      ...{
        address: '0000:3b:*',
        slot: '0000:3b:00',
        driver: 'mlx5_core',
        physicalFunction: '0000:3b:00.0',
      },
      numaNode: 0,
    }),
    {
      devices: [
        {
          ...{
            vendor: '15b3',
            device: '101e',
            subsystemVendor: '15b3',
            subsystemDevice: '0001',
            class: '0200',
          },
          ...{
            address: '0000:3b:*',
            slot: '0000:3b:00',
            driver: 'mlx5_core',
            physicalFunction: '0000:3b:00.0',
          },
          numaNode: 0,
        },
      ],
    },
  ],
  'an exact address': [
    withDevice({ address: '0000:65:00.0' }),
    { devices: [{ address: '0000:65:00.0' }] },
  ],
  'an address in a VMD domain': [
    withDevice({ address: '10000:01:00.0' }),
    { devices: [{ address: '10000:01:00.0' }] },
  ],
  'a glob of question marks': [
    withDevice({ address: '0000:6?:00.?' }),
    { devices: [{ address: '0000:6?:00.?' }] },
  ],
  'the glob for everything': [withDevice({ address: '*' }), { devices: [{ address: '*' }] }],
  'a class of two digits': [withDevice({ class: '03' }), { devices: [{ class: '03' }] }],
  'a class of six digits': [withDevice({ class: '030200' }), { devices: [{ class: '030200' }] }],
  'a driver with a space in its name': [
    withDevice({ driver: 'Intel(R) NIC' }),
    { devices: [{ driver: 'Intel(R) NIC' }] },
  ],
  'Any companions': [withSpec({ companions: 'Any' }), { companions: 'Any' }],
  'Listed companions': [
    withSpec({ companions: 'Listed', companionDevices: [{ class: '0403' }] }),
    { companions: 'Listed', companionDevices: [{ class: '0403' }] },
  ],
  'one bound of primaries': [
    withSpec({ primaries: { max: 4 } }),
    { primaries: { min: 1, max: 4 } },
  ],
  'both bounds of primaries': [
    withSpec({ primaries: { min: 2, max: 2 } }),
    { primaries: { min: 2, max: 2 } },
  ],
  'Eager binding': [withSpec({ binding: 'Eager' }), { binding: 'Eager' }],
  'access by device files': [withSpec({ access: 'Cdev' }), { access: 'Cdev' }],
  'a variant driver': [withSpec({ vfioDriver: 'mlx5_vfio_pci' }), { vfioDriver: 'mlx5_vfio_pci' }],
  'waived kinds': [
    withSpec({ waive: ['SwapActive', 'SoundInUse'] }),
    { waive: ['SwapActive', 'SoundInUse'] },
  ],
  'a required reset': [withSpec({ reset: 'Required' }), { reset: 'Required' }],
  'an owner of the nodes': [
    withSpec({ deviceNodes: { uid: 107, gid: 107, mode: '0660' } }),
    { deviceNodes: { uid: 107, gid: 107, mode: 0o660 } },
  ],
  'a group alone as owner of the nodes': [
    withSpec({ deviceNodes: { gid: 36 } }),
    { deviceNodes: { uid: 0, gid: 36, mode: 0o660 } },
  ],
  'a mode of three digits': [
    withSpec({ deviceNodes: { mode: '640' } }),
    { deviceNodes: { uid: 0, gid: 0, mode: 0o640 } },
  ],
  'a namespace, which means nothing here and which the API server drops too': [
    { ...minimal(), metadata: { name: 'a40', namespace: 'ml' } },
    {},
  ],
  'fields with nothing after the colon, which are not given': [
    withSpec({
      waive: null,
      nodeSelector: null,
      primaries: { min: null },
      deviceNodes: { gid: null },
    }),
    { deviceNodes: { uid: 0, gid: 0, mode: 0o660 } },
  ],
  'a name with dots': [named('gpu.a40'), { name: 'gpu.a40' }],
};
