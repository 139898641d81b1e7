// The stand-in's pod resources as a HolderSource without sockets: what the client of the real service
// would have made of the same list, for runs in one process and on virtual time.
import { sleep, type Clock } from '../base/clock.ts';
import type { DeviceHolder, HolderSource, HoldersAnswer } from '../kubelet/pods.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { StandinKubelet } from './kubelet.ts';
import type { PodDevices } from './process.ts';

/** Asks at most once in `minIntervalMs`; callers that wait at the same time share one answer. */
export function podResourcesView(
  kubelet: StandinKubelet,
  clock: Clock,
  minIntervalMs = 1000,
): HolderSource {
  let next: Promise<HoldersAnswer> | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;
  let seen = { incarnation: -1, firstMs: 0 };
  const ask = async (): Promise<HoldersAnswer> => {
    await sleep(clock, Math.max(0, lastMs + minIntervalMs - clock.monotonicMs()));
    next = null;
    lastMs = clock.monotonicMs();
    const pods = kubelet.list();
    if (pods === null) return { kind: 'unreachable', why: 'no kubelet is running' };
    const { incarnation } = kubelet;
    if (seen.incarnation !== incarnation) seen = { incarnation, firstMs: lastMs };
    return {
      kind: 'holders',
      holders: holdersOf(pods),
      askedAtMs: lastMs,
      kubeletIncarnation: `standin-${incarnation}`,
      kubeletUpMs: lastMs - seen.firstMs,
    };
  };
  return {
    list: () => {
      next ??= ask();
      return next;
    },
  };
}

function holdersOf(pods: readonly PodDevices[]): readonly DeviceHolder[] {
  return pods.flatMap((pod) =>
    pod.containers.flatMap((container) => {
      const resources = [...new Set(container.devices.map((one) => one.resource))];
      return resources.map((resource) => ({
        namespace: pod.namespace,
        pod: pod.pod,
        container: container.name,
        resource: resource as ResourceName,
        deviceIds: [
          ...new Set(
            container.devices.filter((one) => one.resource === resource).flatMap((one) => one.ids),
          ),
        ].sort(),
      }));
    }),
  );
}
