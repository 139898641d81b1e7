import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PciAddress } from '../../src/pci/address.ts';
import type { MemberRole } from '../../src/ownership/record.ts';
import { AssertionError } from '../../src/base/assert.ts';
import { cdiKind, cdiSpec, containerPathOf, type CdiOrder } from '../../src/kubelet/cdi.ts';
import {
  containerEnvs,
  containerGrant,
  envResourceName,
  type DeliveredGroup,
  type DeliveryOrder,
} from '../../src/kubelet/delivery.ts';
import { resourceName } from './test-door.ts';

const address = (text: string): PciAddress => text as PciAddress;
const member = (text: string, role: MemberRole, vendor: string) => ({
  address: address(text),
  role,
  vendor,
});

const a40: DeliveredGroup = {
  leader: address('0000:65:00.0'),
  groupNumber: 17,
  members: [member('0000:65:00.1', 'companion', '10de'), member('0000:65:00.0', 'primary', '10de')],
};
const twin: DeliveredGroup = {
  leader: address('0000:17:00.0'),
  groupNumber: 3,
  members: [
    member('0000:16:00.0', 'bridge', '8086'),
    member('0000:17:00.1', 'primary', '8086'),
    member('0000:17:00.0', 'primary', '8086'),
  ],
};
const order: DeliveryOrder = {
  resource: resourceName('nvidia.com/GA102GL_A40'),
  groups: [a40],
  delivery: 'cdi',
  access: 'Group',
  deviceRoot: '',
};

describe('the environment of a container', () => {
  const names: readonly (readonly [string, string])[] = [
    ['nvidia.com/GA102GL_A40', 'NVIDIA_COM_GA102GL_A40'],
    ['acme.io/nic-x', 'ACME_IO_NIC-X'],
    ['a.b.c/d.e', 'A_B_C_D_E'],
  ];
  for (const [resource, name] of names) {
    test(`${resource} becomes ${name}: slash and dot fall, dashes stay`, () => {
      assert.equal(envResourceName(resource), name);
    });
  }

  test('names the primaries in order for KubeVirt and DPDK, and all members for us', () => {
    assert.deepEqual(containerEnvs(order), {
      PCI_RESOURCE_NVIDIA_COM_GA102GL_A40: '0000:65:00.0',
      PCIDEVICE_NVIDIA_COM_GA102GL_A40: '0000:65:00.0',
      PCIDEVICE_NVIDIA_COM_GA102GL_A40_INFO:
        '{"0000:65:00.0":{"generic":{"deviceID":"0000:65:00.0"}}}',
      WHOLEGROUP_NVIDIA_COM_GA102GL_A40_MEMBERS: '0000:65:00.0,0000:65:00.1',
      NVIDIA_VISIBLE_DEVICES: 'void',
    });
  });

  test('several groups come in the order asked for, each with its own primaries', () => {
    const envs = containerEnvs({
      ...order,
      resource: resourceName('acme.io/nic-x'),
      groups: [twin, a40],
    });
    assert.equal(envs['PCI_RESOURCE_ACME_IO_NIC-X'], '0000:17:00.0,0000:17:00.1,0000:65:00.0');
    assert.equal(
      envs['WHOLEGROUP_ACME_IO_NIC-X_MEMBERS'],
      '0000:16:00.0,0000:17:00.0,0000:17:00.1,0000:65:00.0,0000:65:00.1',
    );
  });

  test('an NVIDIA companion alone does not switch the NVIDIA runtime off', () => {
    const group = {
      ...twin,
      members: [...twin.members, member('0000:17:00.2', 'companion', '10de')],
    };
    assert.equal('NVIDIA_VISIBLE_DEVICES' in containerEnvs({ ...order, groups: [group] }), false);
  });
});

describe('what Allocate hands out', () => {
  test('with CDI: names by leader, and nothing whose number a reboot changes', () => {
    const grant = containerGrant(order);
    assert.deepEqual(grant.cdiDevices, ['nvidia.com/GA102GL_A40=0000:65:00.0']);
    assert.deepEqual(grant.deviceNodes, []);
    assert.deepEqual(grant, containerGrant({ ...order, groups: [{ ...a40, groupNumber: 99 }] }));
  });

  test('with device nodes: the container file once, each group file once, from the device root', () => {
    const grant = containerGrant({
      ...order,
      delivery: 'device-nodes',
      groups: [a40, twin],
      deviceRoot: '/run/x',
    });
    assert.deepEqual(grant.cdiDevices, []);
    assert.deepEqual(grant.deviceNodes, [
      { hostPath: '/run/x/dev/vfio/vfio', containerPath: '/dev/vfio/vfio', permissions: 'mrw' },
      { hostPath: '/run/x/dev/vfio/17', containerPath: '/dev/vfio/17', permissions: 'mrw' },
      { hostPath: '/run/x/dev/vfio/3', containerPath: '/dev/vfio/3', permissions: 'mrw' },
    ]);
    assert.deepEqual(JSON.parse(grant.envs['PCIDEVICE_NVIDIA_COM_GA102GL_A40_INFO'] ?? ''), {
      '0000:65:00.0': {
        generic: { deviceID: '0000:65:00.0' },
        vfio: { mount: '/dev/vfio/vfio', 'dev-mount': '/dev/vfio/17' },
      },
      '0000:17:00.0': {
        generic: { deviceID: '0000:17:00.0' },
        vfio: { mount: '/dev/vfio/vfio', 'dev-mount': '/dev/vfio/3' },
      },
      '0000:17:00.1': {
        generic: { deviceID: '0000:17:00.1' },
        vfio: { mount: '/dev/vfio/vfio', 'dev-mount': '/dev/vfio/3' },
      },
    });
  });

  test('of a simulated kernel: one node of the host stands in for every VFIO node', () => {
    const { deviceNodes } = containerGrant({
      ...order,
      delivery: 'device-nodes',
      standIn: '/dev/null',
    });
    assert.deepEqual(deviceNodes, [
      { hostPath: '/dev/null', containerPath: '/dev/vfio/vfio', permissions: 'mrw' },
      { hostPath: '/dev/null', containerPath: '/dev/vfio/17', permissions: 'mrw' },
    ]);
  });

  test('device files by number cannot be promised before the bind', () => {
    assert.throws(
      () => containerGrant({ ...order, delivery: 'device-nodes', access: 'Cdev' }),
      AssertionError,
    );
  });
});

describe('a CDI spec', () => {
  const spec: CdiOrder = {
    resource: resourceName('nvidia.com/GA102GL_A40'),
    leader: address('0000:65:00.0'),
    nodes: [
      { path: '/dev/vfio/vfio', hostPath: null, numbers: { major: 10, minor: 196 } },
      { path: '/dev/vfio/17', hostPath: '/run/x/dev/vfio/17', numbers: null },
    ],
    owner: { uid: 107, gid: 36, mode: 0o660 },
    env: { A: 'b=c' },
  };

  test('has today’s nodes with owner, mode and numbers', () => {
    assert.deepEqual(cdiSpec(spec), {
      cdiVersion: '0.5.0',
      kind: 'nvidia.com/GA102GL_A40',
      devices: [
        {
          name: '0000:65:00.0',
          containerEdits: {
            env: ['A=b=c'],
            deviceNodes: [
              {
                path: '/dev/vfio/vfio',
                type: 'c',
                major: 10,
                minor: 196,
                permissions: 'rwm',
                uid: 107,
                gid: 36,
                fileMode: 0o660,
              },
              {
                path: '/dev/vfio/17',
                hostPath: '/run/x/dev/vfio/17',
                type: 'c',
                permissions: 'rwm',
                uid: 107,
                gid: 36,
                fileMode: 0o660,
              },
            ],
          },
        },
      ],
    });
  });

  test('says nothing about owner and environment when nothing was asked for', () => {
    const [device] = cdiSpec({
      ...spec,
      owner: null,
      env: {},
      nodes: spec.nodes.slice(0, 1),
    }).devices;
    assert.deepEqual(device.containerEdits, {
      deviceNodes: [
        { path: '/dev/vfio/vfio', type: 'c', major: 10, minor: 196, permissions: 'rwm' },
      ],
    });
  });

  const kinds: readonly (readonly [string, string, string])[] = [
    ['example.com/nic', 'example.com/nic', '0.5.0'],
    ['example.com/mig-1g.5gb', 'example.com/mig-1g.5gb', '0.6.0'],
    ['example.com/1g', 'example.com/x1g', '0.5.0'],
    ['3com.com/905', 'x3com.com/x905', '0.5.0'],
  ];
  for (const [resource, kind, version] of kinds) {
    test(`${resource}: kind ${kind}, version ${version}`, () => {
      assert.equal(cdiKind(resourceName(resource)), kind);
      assert.equal(cdiSpec({ ...spec, resource: resourceName(resource) }).cdiVersion, version);
      assert.match(
        kind,
        /^[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]\/[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]$/,
      );
    });
  }

  test('a node below another root keeps its own path in the container', () => {
    assert.equal(containerPathOf('/run/x/dev/vfio/17', '/run/x'), '/dev/vfio/17');
    assert.equal(containerPathOf('/dev/vfio/17', ''), '/dev/vfio/17');
    assert.equal(containerPathOf('/run/xy/dev/vfio/17', '/run/x'), null);
  });
});
