// What Kubernetes itself says about a pod that does not run: the scheduler, the kubelet, the container runtime. Pure.
import type { SeenPod } from './seen.ts';

/** One voice. */
export interface Said {
  readonly who: string;
  readonly message: string;
}

type Status = NonNullable<SeenPod['status']>;

function byScheduler({ conditions = [] }: Status): readonly Said[] {
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False' || !scheduled.message) return [];
  return [{ who: 'scheduler', message: scheduled.message }];
}

function byKubelet({ reason, message = '' }: Status): readonly Said[] {
  return reason === undefined ? [] : [{ who: 'kubelet', message: `${reason}: ${message}` }];
}

function ofContainers({ initContainerStatuses = [], containerStatuses = [] }: Status): Said[] {
  return [...initContainerStatuses, ...containerStatuses].flatMap(({ name, state }) => {
    const waiting = state?.waiting;
    if (!waiting?.message) return [];
    return [{ who: `container ${name}`, message: `${waiting.reason}: ${waiting.message}` }];
  });
}

/** Everything that is said. */
export function saidAbout({ status = {} }: SeenPod): readonly Said[] {
  return [byScheduler, byKubelet, ofContainers].flatMap((by) => by(status));
}
