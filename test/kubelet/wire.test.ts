import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CodedError } from '../../src/base/errors.ts';
import { loadDevicePluginWire, loadPodResourcesWire } from '../../src/kubelet/wire/load.ts';
import { socketPathProblem } from '../../src/kubelet/wire/socket.ts';

const protos = join(import.meta.dirname, '..', '..', 'protos');

describe('the protocols', () => {
  // The kubelet's own names: packages and methods are the contract on the wire.
  test('have the kubelet’s service and method paths', () => {
    const paths = (service: object): readonly string[] =>
      Object.values(service).map((method: { readonly path: string }) => method.path);
    const devicePlugin = loadDevicePluginWire(protos);
    assert.deepEqual(
      [...paths(devicePlugin.Registration.service), ...paths(devicePlugin.DevicePlugin.service)],
      [
        '/v1beta1.Registration/Register',
        '/v1beta1.DevicePlugin/GetDevicePluginOptions',
        '/v1beta1.DevicePlugin/ListAndWatch',
        '/v1beta1.DevicePlugin/GetPreferredAllocation',
        '/v1beta1.DevicePlugin/Allocate',
        '/v1beta1.DevicePlugin/PreStartContainer',
      ],
    );
    assert.deepEqual(paths(loadPodResourcesWire(protos).PodResourcesLister.service), [
      '/v1.PodResourcesLister/List',
      '/v1.PodResourcesLister/GetAllocatableResources',
      '/v1.PodResourcesLister/Get',
    ]);
  });

  // Encoded by hand: the field numbers below are the contract, independent of our .proto texts.
  const text = (field: number, value: string | Buffer): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([field * 8 + 2, bytes.length]), bytes]);
  };
  const flag = (field: number): Buffer => Buffer.from([field * 8, 1]);
  const message = (field: number, ...parts: readonly Buffer[]): Buffer =>
    text(field, Buffer.concat(parts));

  test('are encoded with the kubelet’s field numbers', () => {
    const wire = loadDevicePluginWire(protos);
    const pods = loadPodResourcesWire(protos);
    const { Register } = wire.Registration.service;
    const { ListAndWatch, Allocate, GetPreferredAllocation, PreStartContainer } =
      wire.DevicePlugin.service;
    const cases: readonly (readonly [Buffer, Buffer])[] = [
      [
        Register.requestSerialize({
          version: 'v1beta1',
          endpoint: 'wg.sock',
          resource_name: 'example.com/nic',
          options: { pre_start_required: true, get_preferred_allocation_available: true },
        }),
        Buffer.concat([
          text(1, 'v1beta1'),
          text(2, 'wg.sock'),
          text(3, 'example.com/nic'),
          message(4, flag(1), flag(2)),
        ]),
      ],
      [
        ListAndWatch.responseSerialize({
          devices: [{ ID: 'a', health: 'Healthy', topology: { nodes: [{ ID: 1 }] } }],
        }),
        message(1, text(1, 'a'), text(2, 'Healthy'), message(3, message(1, flag(1)))),
      ],
      [
        Allocate.responseSerialize({
          container_responses: [
            {
              envs: { A: 'b' },
              mounts: [{ container_path: '/c', host_path: '/h', read_only: true }],
              devices: [{ container_path: '/c', host_path: '/h', permissions: 'mrw' }],
              annotations: { C: 'd' },
              cdi_devices: [{ name: 'k=d' }],
            },
          ],
        }),
        message(
          1,
          message(1, text(1, 'A'), text(2, 'b')),
          message(2, text(1, '/c'), text(2, '/h'), flag(3)),
          message(3, text(1, '/c'), text(2, '/h'), text(3, 'mrw')),
          message(4, text(1, 'C'), text(2, 'd')),
          message(5, text(1, 'k=d')),
        ),
      ],
      [
        Allocate.requestSerialize({ container_requests: [{ devices_ids: ['a', 'b'] }] }),
        message(1, text(1, 'a'), text(1, 'b')),
      ],
      [PreStartContainer.requestSerialize({ devices_ids: ['a'] }), text(1, 'a')],
      [
        GetPreferredAllocation.requestSerialize({
          container_requests: [
            { available_deviceIDs: ['a'], must_include_deviceIDs: ['b'], allocation_size: 1 },
          ],
        }),
        message(1, text(1, 'a'), text(2, 'b'), flag(3)),
      ],
      [
        GetPreferredAllocation.responseSerialize({ container_responses: [{ deviceIDs: ['a'] }] }),
        message(1, text(1, 'a')),
      ],
      [
        pods.PodResourcesLister.service.List.responseSerialize({
          pod_resources: [
            {
              name: 'p',
              namespace: 'n',
              containers: [
                {
                  name: 'c',
                  devices: [
                    { resource_name: 'r', device_ids: ['a'], topology: { nodes: [{ ID: 1 }] } },
                  ],
                },
              ],
            },
          ],
        }),
        message(
          1,
          text(1, 'p'),
          text(2, 'n'),
          message(
            3,
            text(1, 'c'),
            message(2, text(1, 'r'), text(2, 'a'), message(3, message(1, flag(1)))),
          ),
        ),
      ],
    ];
    for (const [actual, expected] of cases) {
      assert.equal(actual.toString('hex'), expected.toString('hex'));
    }
  });

  test('a folder without the descriptions is told by its path', () => {
    assert.throws(
      () => loadDevicePluginWire('/nowhere'),
      (problem: unknown) =>
        problem instanceof CodedError && problem.message.includes('/nowhere/deviceplugin.proto'),
    );
  });

  const socketPaths: readonly (readonly [string, RegExp | null])[] = [
    [`/${'x'.repeat(106)}`, null],
    [
      `/${'x'.repeat(107)}`,
      /^--flag: the socket path .* has 108 bytes; a unix socket path has at most 107$/,
    ],
    [`/${'é'.repeat(54)}`, /has 109 bytes/],
    ['relative.sock', /^--flag: the socket path relative.sock is not absolute$/],
  ];
  for (const [path, expected] of socketPaths) {
    test(`a socket path of ${Buffer.byteLength(path)} bytes${path.startsWith('/') ? '' : ', relative'}`, () => {
      const problem = socketPathProblem('--flag', path);
      if (expected === null) assert.equal(problem, null);
      else assert.match(problem ?? '', expected);
    });
  }
});
