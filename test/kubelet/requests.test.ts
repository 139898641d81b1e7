import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { credentials, status } from '@grpc/grpc-js';
import type { AllocateRequest } from '../../src/kubelet/gen/v1beta1/AllocateRequest.ts';
import type { AllocateResponse__Output } from '../../src/kubelet/gen/v1beta1/AllocateResponse.ts';
import type { DevicePluginClient } from '../../src/kubelet/gen/v1beta1/DevicePlugin.ts';
import type { DevicePluginOptions__Output } from '../../src/kubelet/gen/v1beta1/DevicePluginOptions.ts';
import type { ListAndWatchResponse__Output } from '../../src/kubelet/gen/v1beta1/ListAndWatchResponse.ts';
import type { PreferredAllocationResponse__Output } from '../../src/kubelet/gen/v1beta1/PreferredAllocationResponse.ts';
import type { PreStartContainerResponse__Output } from '../../src/kubelet/gen/v1beta1/PreStartContainerResponse.ts';
import type { RefusalReason } from '../../src/kubelet/door.ts';
import { unaryCall, type CallOutcome } from '../../src/kubelet/wire/call.ts';
import { unixAddress } from '../../src/kubelet/wire/socket.ts';
import { realClock, until } from './real-time.ts';
import { devicePluginWire, Rigs, type Rig } from './rig.ts';
import { device, TestDoor } from './test-door.ts';

const gpu = 'example.com/gpu';
const nic = 'example.com/nic';
const own = '0000:01:00.0';
const second = '0000:02:00.0';
const foreign = '0000:03:00.0';

describe('requests to a device plugin, on its socket', () => {
  const rigs = new Rigs();
  const door = new TestDoor();
  const measured: string[] = [];
  let rig: Rig;
  let client: DevicePluginClient;

  before(async () => {
    door.set({ [gpu]: [device(own), device(second, { numaNodes: [] })], [nic]: [device(foreign)] });
    const made = await rigs.started(door, {
      limits: { allocateMs: 60, preStartWaitMs: 40, preStartSlackMs: 20 },
      metrics: {
        allocated: (resource, seconds, outcome) =>
          void measured.push(`${resource} ${seconds >= 0} ${outcome}`),
        preStarted: (resource, seconds, outcome) =>
          void measured.push(`${resource} ${seconds >= 0} ${outcome}`),
      },
    });
    rig = made.rig;
    await until('registered', () => made.plugins.state().registered);
    const socket = made.plugins.state().resources.find((one) => one.resource === gpu)?.socket ?? '';
    client = new devicePluginWire.DevicePlugin(
      unixAddress(join(rig.pluginFolder, socket)),
      credentials.createInsecure(),
      { 'grpc.max_send_message_length': -1 },
    );
  });
  after(async () => {
    client.close();
    await rigs.stopAll();
  });

  const limit = { clock: realClock, deadlineMs: 2000 };
  const allocate = (request: AllocateRequest): Promise<CallOutcome<AllocateResponse__Output>> =>
    unaryCall<AllocateResponse__Output>(limit, (done) => client.Allocate(request, done));
  const allocateIds = (...ids: string[]) =>
    allocate({ container_requests: [{ devices_ids: ids }] });
  const preStart = (...ids: string[]) =>
    unaryCall<PreStartContainerResponse__Output>(limit, (done) =>
      client.PreStartContainer({ devices_ids: ids }, done),
    );

  test('both optional calls are announced', async () => {
    const outcome = await unaryCall<DevicePluginOptions__Output>(limit, (done) =>
      client.GetDevicePluginOptions({}, done),
    );
    assert.deepEqual(outcome, {
      kind: 'ok',
      value: { pre_start_required: true, get_preferred_allocation_available: true },
    });
  });

  test('the list carries NUMA nodes, and no topology where none is known', async () => {
    const stream = client.ListAndWatch({});
    const first = await new Promise<ListAndWatchResponse__Output>((resolve, reject) => {
      stream.once('data', resolve);
      stream.once('error', reject);
    });
    stream.on('error', () => undefined);
    stream.cancel();
    assert.deepEqual(first.devices, [
      { ID: own, health: 'Healthy', topology: { nodes: [{ ID: '0' }] } },
      { ID: second, health: 'Healthy', topology: null },
    ]);
  });

  const malformed: readonly (readonly [string, AllocateRequest, number, RegExp])[] = [
    [
      'an empty request',
      {},
      status.INVALID_ARGUMENT,
      /^container_requests is empty; it must have exactly one entry$/,
    ],
    [
      'a container without devices',
      { container_requests: [{}] },
      status.INVALID_ARGUMENT,
      /^devices_ids is empty; it must name at least one device$/,
    ],
    [
      'several container requests',
      { container_requests: [{ devices_ids: [own] }, { devices_ids: [second] }] },
      status.INVALID_ARGUMENT,
      /^container_requests has 2 entries; it must have exactly one/,
    ],
    [
      'an empty ID',
      { container_requests: [{ devices_ids: [''] }] },
      status.INVALID_ARGUMENT,
      /^devices_ids has an empty ID$/,
    ],
    [
      'a device twice',
      { container_requests: [{ devices_ids: [own, own] }] },
      status.INVALID_ARGUMENT,
      /^devices_ids names 0000:01:00.0 twice/,
    ],
    [
      'an unknown device',
      { container_requests: [{ devices_ids: ['0000:ff:00.0'] }] },
      status.NOT_FOUND,
      /^0000:ff:00.0 is not a device of example.com\/gpu \(any more\); let the pod be created again/,
    ],
    [
      'two devices of which one is unknown',
      { container_requests: [{ devices_ids: [own, '0000:ff:00.0'] }] },
      status.NOT_FOUND,
      /^0000:ff:00.0 is not a device/,
    ],
    [
      'a device of another resource',
      { container_requests: [{ devices_ids: [foreign] }] },
      status.INVALID_ARGUMENT,
      /^0000:03:00.0 is a device of example.com\/nic, not of example.com\/gpu; ask for it under its own resource name$/,
    ],
  ];
  for (const [what, request, code, text] of malformed) {
    test(`Allocate refuses ${what} without asking the agent`, async () => {
      door.calls.length = 0;
      const outcome = await allocate(request);
      assert.equal(outcome.kind, 'failed');
      assert.equal(outcome.kind === 'failed' ? outcome.code : 0, code);
      assert.match(outcome.kind === 'failed' ? outcome.details : '', text);
      assert.deepEqual(door.calls, []);
      assert.deepEqual([...door.leases], []);
    });
  }

  test('5 MiB are refused cleanly, and the server goes on', async () => {
    const outcome = await allocateIds('x'.repeat(5 * 1024 * 1024));
    assert.equal(outcome.kind === 'failed' ? outcome.code : 0, status.RESOURCE_EXHAUSTED);
    assert.match(outcome.kind === 'failed' ? outcome.details : '', /larger than max/);
    const next = await allocateIds(own);
    assert.equal(next.kind, 'ok');
    door.release(own);
  });

  test('a granted Allocate carries environment, nodes and CDI names', async () => {
    const outcome = await allocateIds(own);
    door.release(own);
    assert.deepEqual(outcome, {
      kind: 'ok',
      value: {
        container_responses: [
          {
            envs: { DEVICES: own },
            mounts: [],
            devices: [
              { container_path: '/dev/vfio/vfio', host_path: '/dev/vfio/vfio', permissions: 'mrw' },
            ],
            annotations: {},
            cdi_devices: [{ name: `${gpu}=${own}` }],
          },
        ],
      },
    });
    assert.equal(measured.at(-1), `${gpu} true granted`);
  });

  for (const [mood, text] of [
    ['throw', 'thrown on purpose'],
    ['reject', 'rejected on purpose'],
  ] as const) {
    test(`an agent that ${mood}s is answered with INTERNAL and its text, in Allocate and PreStartContainer`, async () => {
      door.mood = mood;
      for (const outcome of [await allocateIds(own), await preStart(own)]) {
        assert.equal(outcome.kind === 'failed' ? outcome.code : 0, status.INTERNAL);
        assert.match(outcome.kind === 'failed' ? outcome.details : '', new RegExp(text));
      }
      assert.equal(rig.events('kubelet-handler-threw').at(-1)?.fields['problem'], text);
      door.mood = 'answer';
    });
  }

  test('an agent that hangs does not hang the kubelet', async () => {
    door.mood = 'hang';
    const allocated = await allocateIds(own);
    assert.deepEqual(allocated, {
      kind: 'failed',
      code: status.DEADLINE_EXCEEDED,
      details: `the agent did not answer within 60 ms for ${own}; look at its log, then let the pod be created again`,
    });
    const ready = await preStart(own);
    assert.equal(ready.kind === 'failed' ? ready.code : 0, status.DEADLINE_EXCEEDED);
    door.mood = 'answer';
  });

  test('every refusal of the agent has a status of its own kind and keeps its words', async () => {
    const expected: Readonly<Record<RefusalReason, number>> = {
      InvalidRequest: status.INVALID_ARGUMENT,
      UnknownDevice: status.NOT_FOUND,
      AlreadyLeased: status.FAILED_PRECONDITION,
      NotReleasable: status.FAILED_PRECONDITION,
      NotClaimed: status.UNAVAILABLE,
      RecordFailed: status.UNAVAILABLE,
      StaleAnswer: status.FAILED_PRECONDITION,
      ShuttingDown: status.UNAVAILABLE,
    };
    for (const reason of Object.keys(expected) as RefusalReason[]) {
      const message = `why: ${reason} – and what to do`;
      door.preStartAnswer = { kind: 'refused', reason, message };
      assert.deepEqual(await preStart(own), {
        kind: 'failed',
        code: expected[reason],
        details: message,
      });
    }
    door.preStartAnswer = { kind: 'ready' };
  });

  test('PreStartContainer passes its wait on, and asks for devices that are not offered any more', async () => {
    door.calls.length = 0;
    assert.equal((await preStart('0000:77:00.0')).kind, 'ok');
    assert.deepEqual(door.calls, [`preStart ${gpu} 0000:77:00.0 40`]);
    const empty = await preStart();
    assert.equal(empty.kind === 'failed' ? empty.code : 0, status.INVALID_ARGUMENT);
  });

  test('a preference that cannot be met names the field', async () => {
    const outcome = await unaryCall<PreferredAllocationResponse__Output>(limit, (done) =>
      client.GetPreferredAllocation(
        { container_requests: [{ available_deviceIDs: [own], allocation_size: 2 }] },
        done,
      ),
    );
    assert.deepEqual(outcome, {
      kind: 'failed',
      code: status.INVALID_ARGUMENT,
      details: 'allocation_size is 2, but available_deviceIDs has 1 devices',
    });
  });
});
