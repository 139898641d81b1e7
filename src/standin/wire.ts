// The mapping between the wire's messages and the stand-in's own shapes. Fields that are absent get the
// defaults of proto3.
import type { ContainerGrant } from '../kubelet/door.ts';
import type { AllocateResponse } from '../kubelet/gen/v1beta1/AllocateResponse.ts';
import type { Device } from '../kubelet/gen/v1beta1/Device.ts';
import type { ListPodResourcesResponse } from '../kubelet/gen/v1/ListPodResourcesResponse.ts';
import type { SeenDevice } from './endpoint.ts';
import type { PodDevices } from './process.ts';

/** A list as the device manager takes it in: any health but "Healthy" is unhealthy. */
export function seenDevices(devices: readonly Device[]): readonly SeenDevice[] {
  return devices.map((device) => ({
    id: device.ID ?? '',
    healthy: device.health === 'Healthy',
    numaNodes: (device.topology?.nodes ?? []).map((node) => Number(node.ID ?? 0)),
  }));
}

/** The container responses of an Allocate answer. */
export function seenGrants(response: AllocateResponse): readonly ContainerGrant[] {
  return (response.container_responses ?? []).map((one) => ({
    envs: { ...one.envs },
    deviceNodes: (one.devices ?? []).map((node) => ({
      hostPath: node.host_path ?? '',
      containerPath: node.container_path ?? '',
      permissions: node.permissions ?? '',
    })),
    cdiDevices: (one.cdi_devices ?? []).map((device) => device.name ?? ''),
  }));
}

/** A PodResources List answer. */
export function listResponse(pods: readonly PodDevices[]): ListPodResourcesResponse {
  return {
    pod_resources: pods.map((pod) => ({
      name: pod.pod,
      namespace: pod.namespace,
      containers: pod.containers.map((container) => ({
        name: container.name,
        devices: container.devices.map((one) => ({
          resource_name: one.resource,
          device_ids: [...one.ids],
          ...(one.numaNode < 0 ? {} : { topology: { nodes: [{ ID: one.numaNode }] } }),
        })),
      })),
    })),
  };
}
