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
  /** The user that its program is; root unless said. */
  readonly user?: number;
  /** A group that the user is in, beside that of the same number. */
  readonly group?: number;
  /** It opens the files of the devices, with /dev/iommu, instead of the group. */
  readonly byFiles?: boolean;
  /** Its program is started again when it ends, or when the node comes back. */
  readonly lasting?: boolean;
}

/** What it says when its program holds every device. */
export const holding = 'holding';

const named = `$(env | sed -n 's/^PCI_RESOURCE_[^=]*=//p' | tr , ' ')`;

function program({ addresses, byFiles = false }: VfioPod): string {
  if (byFiles) return 'vfio-user --files /dev/vfio/devices/*';
  const opened = addresses.length > 0 ? addresses.join(' ') : named;
  return `vfio-user --watch "$group" ${opened}`;
}

function script(pod: VfioPod): string {
  const { stubborn = false } = pod;
  return [
    'env | grep -E "^(PCI|WHOLEGROUP)" | sort',
    'find /dev/vfio /dev/iommu -type c 2>/dev/null | sed "s/^/NODE /"',
    'group=$(ls /dev/vfio | grep -v vfio)',
    'echo "memory that may be locked: $(ulimit -l) KiB"',
    // The first process of a container ignores what it has no handler for.
    ...(stubborn ? [] : ['trap "exit 0" TERM']),
    `sleep 1000000 | ${program(pod)} &`,
    'wait $!',
  ].join('\n');
}

function securityContext({ user, group }: VfioPod): Readonly<Record<string, unknown>> {
  if (user === undefined) return {};
  const own = { runAsUser: user, runAsGroup: user, runAsNonRoot: true };
  return {
    securityContext: { ...own, ...(group === undefined ? {} : { supplementalGroups: [group] }) },
  };
}

/** The spec of such a pod. */
export function vfioPodSpec(pod: VfioPod): Readonly<Record<string, unknown>> {
  return {
    restartPolicy: pod.lasting === true ? 'Always' : 'Never',
    terminationGracePeriodSeconds: pod.graceSeconds ?? 2,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...securityContext(pod),
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
