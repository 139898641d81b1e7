// The device plugin's requests as functions over the door: checks of form, and the mapping between the
// door's answers and the messages of the wire. They know no socket and hold no rule of ownership.
import { withDeadline, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { ContainerGrant, DevicePluginDoor } from './door.ts';
import type { AllocateRequest__Output } from './gen/v1beta1/AllocateRequest.ts';
import type { AllocateResponse } from './gen/v1beta1/AllocateResponse.ts';
import type { ContainerAllocateResponse } from './gen/v1beta1/ContainerAllocateResponse.ts';
import type { DevicePluginOptions__Output } from './gen/v1beta1/DevicePluginOptions.ts';
import type { PreferredAllocationRequest__Output } from './gen/v1beta1/PreferredAllocationRequest.ts';
import type { PreferredAllocationResponse } from './gen/v1beta1/PreferredAllocationResponse.ts';
import type { PreStartContainerRequest__Output } from './gen/v1beta1/PreStartContainerRequest.ts';
import type { PreStartContainerResponse } from './gen/v1beta1/PreStartContainerResponse.ts';
import { preferDevices } from './preferred.ts';
import { answered, replyOk, replyRefused, statusOfRefusal, type Reply } from './reply.ts';

/** How long the door may take. The kubelet itself has no deadline for Allocate, and 30 s for PreStartContainer. */
export interface RequestLimits {
  /** Bounds how long one Allocate can hold up every admission on the node. */
  readonly allocateMs: number;
  /** What the door may wait for the claim; below the kubelet's 30 s so that our reason arrives and not its timeout. */
  readonly preStartWaitMs: number;
  /** More for the door to answer after preStartWaitMs. */
  readonly preStartSlackMs: number;
}

/** Limits that fit the kubelet's own. */
export const defaultRequestLimits: RequestLimits = {
  allocateMs: 10_000,
  preStartWaitMs: 25_000,
  preStartSlackMs: 3000,
};

/** What the requests of one resource are answered from. */
export interface RequestContext {
  readonly door: DevicePluginDoor;
  readonly resource: ResourceName;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: RequestLimits;
}

/** Answer to GetDevicePluginOptions: both optional calls are wanted. */
export const pluginOptions: DevicePluginOptions__Output = {
  pre_start_required: true,
  get_preferred_allocation_available: true,
};

/** Answer to GetPreferredAllocation: for each container request the best subset, in ID order. */
export function answerPreferredAllocation(
  context: RequestContext,
  request: PreferredAllocationRequest__Output,
): Promise<Reply<PreferredAllocationResponse>> {
  return answered(context.log, 'GetPreferredAllocation', () => {
    const offered = context.door.offers().get(context.resource) ?? [];
    const responses: { deviceIDs: string[] }[] = [];
    for (const container of request.container_requests) {
      const choice = preferDevices(
        {
          available: container.available_deviceIDs,
          mustInclude: container.must_include_deviceIDs,
          size: container.allocation_size,
        },
        offered,
      );
      if (!choice.ok) return replyRefused('INVALID_ARGUMENT', choice.problem);
      responses.push({ deviceIDs: [...choice.value] });
    }
    return replyOk({ container_responses: responses });
  });
}

/** Answer to Allocate: every device of the one container, or a refusal and no lease. */
export function answerAllocate(
  context: RequestContext,
  request: AllocateRequest__Output,
): Promise<Reply<AllocateResponse>> {
  return answered(context.log, 'Allocate', async () => {
    const [container, ...others] = request.container_requests;
    if (container === undefined) {
      return replyRefused(
        'INVALID_ARGUMENT',
        'container_requests is empty; it must have exactly one entry',
      );
    }
    if (others.length > 0) {
      return replyRefused(
        'INVALID_ARGUMENT',
        `container_requests has ${request.container_requests.length} entries; it must have exactly one, as the kubelet sends it, because a lease is for one container`,
      );
    }
    const problem =
      malformedIds(container.devices_ids) ?? notOffered(context, container.devices_ids);
    if (problem !== null) return problem;
    const answer = await withDeadline(
      context.clock,
      context.limits.allocateMs,
      context.door.allocate(context.resource, container.devices_ids),
    );
    if (answer.kind === 'late') {
      return replyRefused(
        'DEADLINE_EXCEEDED',
        `the agent did not answer within ${context.limits.allocateMs} ms for ${container.devices_ids.join(', ')}; look at its log, then let the pod be created again`,
      );
    }
    if (answer.value.kind === 'refused') {
      return replyRefused(statusOfRefusal[answer.value.reason], answer.value.message);
    }
    return replyOk({ container_responses: [containerResponse(answer.value.grant)] });
  });
}

/** Answer to PreStartContainer: when it is ok, every device is claimed and verified. */
export function answerPreStart(
  context: RequestContext,
  request: PreStartContainerRequest__Output,
): Promise<Reply<PreStartContainerResponse>> {
  return answered(context.log, 'PreStartContainer', async () => {
    // Not checked against the offers: a container may start again while its group is not offered to anyone.
    const problem = malformedIds(request.devices_ids);
    if (problem !== null) return problem;
    const { preStartWaitMs, preStartSlackMs } = context.limits;
    const answer = await withDeadline(
      context.clock,
      preStartWaitMs + preStartSlackMs,
      context.door.preStart(context.resource, request.devices_ids, preStartWaitMs),
    );
    if (answer.kind === 'late') {
      return replyRefused(
        'DEADLINE_EXCEEDED',
        `${request.devices_ids.join(', ')} was not ready within ${preStartWaitMs + preStartSlackMs} ms; the kubelet starts the container again by itself`,
      );
    }
    if (answer.value.kind === 'refused') {
      return replyRefused(statusOfRefusal[answer.value.reason], answer.value.message);
    }
    return replyOk({});
  });
}

/** A grant in the words of the wire. */
function containerResponse(grant: ContainerGrant): ContainerAllocateResponse {
  return {
    envs: { ...grant.envs },
    devices: grant.deviceNodes.map((node) => ({
      host_path: node.hostPath,
      container_path: node.containerPath,
      permissions: node.permissions,
    })),
    cdi_devices: grant.cdiDevices.map((name) => ({ name })),
  };
}

function malformedIds(ids: readonly string[]): Reply<never> | null {
  if (ids.length === 0) {
    return replyRefused(
      'INVALID_ARGUMENT',
      'devices_ids is empty; it must name at least one device',
    );
  }
  const seen = new Set<string>();
  for (const id of ids) {
    if (id === '') return replyRefused('INVALID_ARGUMENT', 'devices_ids has an empty ID');
    if (seen.has(id)) {
      return replyRefused('INVALID_ARGUMENT', `devices_ids names ${id} twice; each device once`);
    }
    seen.add(id);
  }
  return null;
}

function notOffered(context: RequestContext, ids: readonly string[]): Reply<never> | null {
  const offers = context.door.offers();
  const own = new Set<string>(offers.get(context.resource)?.map((device) => device.id));
  for (const id of ids) {
    if (own.has(id)) continue;
    for (const [resource, devices] of offers) {
      if (devices.some((device) => device.id === id)) {
        return replyRefused(
          'INVALID_ARGUMENT',
          `${id} is a device of ${resource}, not of ${context.resource}; ask for it under its own resource name`,
        );
      }
    }
    return replyRefused(
      'NOT_FOUND',
      `${id} is not a device of ${context.resource} (any more); let the pod be created again, the list has changed or will`,
    );
  }
  return null;
}
