// The stand-in's pod resources as a HolderSource without sockets: what the client of the real service
// would have made of the same list, for runs in one process and on virtual time.
import type { Clock } from '../base/clock.ts';
import {
  defaultQuestionRates,
  HolderQuestions,
  type QuestionRates,
} from '../kubelet/holder-questions.ts';
import type { DeviceHolder, HolderSource, HoldersAnswer } from '../kubelet/pods.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { StandinKubelet } from './kubelet.ts';
import type { PodDevices } from './process.ts';

/** The list as the client of the real service would give it, at the same rates. */
export function podResourcesView(
  kubelet: StandinKubelet,
  clock: Clock,
  rates: QuestionRates = defaultQuestionRates,
): HolderSource {
  let seen = { incarnation: -1, firstMs: 0 };
  const ask = async (askedAtMs: number): Promise<HoldersAnswer> => {
    const pods = kubelet.list();
    if (pods === null) return { kind: 'unreachable', why: 'no kubelet is running' };
    const { incarnation } = kubelet;
    if (seen.incarnation !== incarnation) seen = { incarnation, firstMs: askedAtMs };
    return {
      kind: 'holders',
      holders: holdersOf(pods),
      askedAtMs,
      kubeletIncarnation: `standin-${incarnation}`,
      kubeletUpMs: askedAtMs - seen.firstMs,
    };
  };
  return new HolderQuestions({ rates, clock, ask });
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
