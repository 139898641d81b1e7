// Pods whose program uses a group through VFIO, as bodies for the API server.
import { podImage } from './pod-image.ts';

/** A pod that opens its group, maps memory, reads and resets its devices, and holds them. */
export interface VfioPod {
  readonly name: string;
  readonly resource: string;
  /** Functions that its program opens; those that its environment names when there is none. */
  readonly addresses: readonly string[];
  /** It does not end on SIGTERM. */
  readonly stubborn?: boolean;
  readonly graceSeconds?: number;
}

/** What it says when its program holds every device. */
export const holding = 'holding';

const named = `$(env | sed -n 's/^PCI_RESOURCE_[^=]*=//p' | tr , ' ')`;

function script({ addresses, stubborn = false }: VfioPod): string {
  const opened = addresses.length > 0 ? addresses.join(' ') : named;
  return [
    'env | grep -E "^(PCI|WHOLEGROUP)" | sort',
    'for each in /dev/vfio/*; do echo "NODE $each"; done',
    'group=$(ls /dev/vfio | grep -v vfio)',
    'echo "memory that may be locked: $(ulimit -l) KiB"',
    // The first process of a container ignores what it has no handler for.
    ...(stubborn ? [] : ['trap "exit 0" TERM']),
    `sleep 1000000 | vfio-user --watch "$group" ${opened} &`,
    'wait',
  ].join('\n');
}

/** The spec of such a pod. */
export function vfioPodSpec(pod: VfioPod): Readonly<Record<string, unknown>> {
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: pod.graceSeconds ?? 2,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    containers: [
      {
        name: 'main',
        image: podImage,
        imagePullPolicy: 'Never',
        command: ['sh', '-c', script(pod)],
        resources: { limits: { [pod.resource]: '1' } },
      },
    ],
  };
}
