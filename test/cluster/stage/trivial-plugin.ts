// A device plugin that does nothing, to measure wholegroup against: it offers one device and answers at once.
import { credentials, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { join } from 'node:path';
import type { Empty } from '../../../src/kubelet/gen/v1beta1/Empty.ts';
import type { ListAndWatchResponse } from '../../../src/kubelet/gen/v1beta1/ListAndWatchResponse.ts';
import type { DevicePluginHandlers } from '../../../src/kubelet/gen/v1beta1/DevicePlugin.ts';
import { loadDevicePluginWire } from '../../../src/kubelet/wire/load.ts';
import type { AnyNode } from '../harness/any-cluster.ts';

const protos = join(import.meta.dirname, '..', '..', '..', 'protos');
const endpoint = 'trivial.sock';

const handlers: DevicePluginHandlers = {
  GetDevicePluginOptions: (_, reply) => reply(null, {}),
  ListAndWatch: (stream: ServerWritableStream<Empty, ListAndWatchResponse>) => {
    stream.write({ devices: [{ ID: 'only', health: 'Healthy' }] });
  },
  GetPreferredAllocation: (_, reply) => reply(null, {}),
  Allocate: (_, reply) => reply(null, { container_responses: [{ envs: { TRIVIAL: '1' } }] }),
  PreStartContainer: (_, reply) => reply(null, {}),
};

/** Serves the plugin of `resource` on a node and registers it; ends with the block that has it. */
export async function startTrivialPlugin(node: AnyNode, resource: string): Promise<Disposable> {
  const folder = node.path('/var/lib/kubelet/device-plugins');
  const wire = loadDevicePluginWire(protos);
  const server = new Server();
  server.addService(wire.DevicePlugin.service, handlers);
  await new Promise<void>((resolve, reject) => {
    const address = `unix://${join(folder, endpoint)}`;
    server.bindAsync(address, ServerCredentials.createInsecure(), (problem) =>
      problem === null ? resolve() : reject(problem),
    );
  });
  const kubelet = new wire.Registration(
    `unix://${join(folder, 'kubelet.sock')}`,
    credentials.createInsecure(),
  );
  const request = { version: 'v1beta1', endpoint, resource_name: resource };
  await new Promise<void>((resolve, reject) => {
    kubelet.Register(request, (problem) => (problem === null ? resolve() : reject(problem)));
  });
  kubelet.close();
  return { [Symbol.dispose]: () => server.forceShutdown() };
}
