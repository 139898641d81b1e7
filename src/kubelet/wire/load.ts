// Loads the protocol descriptions at run time, with the options that the generated types were made for.
// It refuses to guess where they are: sources, bundle and image each pass their own folder.
import { join } from 'node:path';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type Options } from '@grpc/proto-loader';
import { CodedError, errorText } from '../../base/errors.ts';
import type { ProtoGrpcType as DevicePluginPackage } from '../gen/deviceplugin.ts';
import type { ProtoGrpcType as PodResourcesPackage } from '../gen/podresources.ts';

/** Services and messages of the device plugin protocol, v1beta1. */
export type DevicePluginWire = DevicePluginPackage['v1beta1'];

/** Services and messages of the pod resources protocol, v1. */
export type PodResourcesWire = PodResourcesPackage['v1'];

// The names on the wire are of mixed spelling (devices_ids, available_deviceIDs, ID): keepCase leaves
// them alone. The same options stand in the command that generates src/kubelet/gen.
const options: Options = {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
};

function load(folder: string, file: string): object {
  try {
    return loadPackageDefinition(loadSync(join(folder, file), options));
  } catch (problem) {
    throw new CodedError(
      'WG_INTERNAL',
      `the protocol description ${join(folder, file)} cannot be loaded: ${errorText(problem)}`,
      { cause: problem },
    );
  }
}

/** The device plugin protocol, read from `folder`/deviceplugin.proto. Throws WG_INTERNAL when it is not there. */
export function loadDevicePluginWire(folder: string): DevicePluginWire {
  return (load(folder, 'deviceplugin.proto') as DevicePluginPackage).v1beta1;
}

/** The pod resources protocol, read from `folder`/podresources.proto. Throws WG_INTERNAL when it is not there. */
export function loadPodResourcesWire(folder: string): PodResourcesWire {
  return (load(folder, 'podresources.proto') as PodResourcesPackage).v1;
}
