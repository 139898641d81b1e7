// Pods of scenarios: bodies for the API server, of the tests' own image.
import { sandboxImage } from '../harness/node-files.ts';

/** A container that asks for devices and stays until it is told to go. */
export interface ContainerWish {
  readonly name?: string;
  /** Counts by resource. */
  readonly limits?: Readonly<Record<string, number>>;
  /** What runs after the container has shown itself; it stays unless this ends it. */
  readonly afterwards?: string;
  readonly user?: number;
  readonly restartPolicy?: 'Always';
}

/** A pod. */
export interface PodWish extends ContainerWish {
  readonly podName: string;
  readonly node?: string;
  readonly containers?: readonly ContainerWish[];
  readonly initContainers?: readonly ContainerWish[];
  readonly podRestart?: 'Always' | 'Never' | 'OnFailure';
}

/** Shows what a container sees of devices, in lines that scenarios read from its log. */
const show = [
  'env | grep -E "^(PCI|WHOLEGROUP)" | sort',
  'for node in /dev/vfio/* /dev/vfio/devices/* /dev/iommu; do [ -c "$node" ] && echo "NODE $node $(stat -c "%u:%g %a" "$node")"; done',
  'for node in /dev/vfio/*; do [ -c "$node" ] && { (: <"$node") 2>/dev/null && echo "READ $node" || echo "REFUSED $node"; }; done',
  'echo SHOWN',
].join('\n');

const stay = 'trap "exit 0" TERM; sleep 100000 & wait';

function container({
  name = 'main',
  limits,
  afterwards = stay,
  user,
  restartPolicy,
}: ContainerWish): object {
  const quantities = Object.entries(limits ?? {}).map(([key, count]) => [key, String(count)]);
  return {
    name,
    image: sandboxImage,
    imagePullPolicy: 'Never',
    command: ['sh', '-c', `${show}\n${afterwards}`],
    resources: { limits: Object.fromEntries(quantities) as Record<string, string> },
    ...(user === undefined ? {} : { securityContext: { runAsUser: user, runAsGroup: user } }),
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  };
}

/** The spec of a pod: one container by the wish's own fields, unless it names containers. */
export function podSpec(wish: Omit<PodWish, 'podName'>): Readonly<Record<string, unknown>> {
  const { node, containers, initContainers, podRestart } = wish;
  return {
    terminationGracePeriodSeconds: 2,
    automountServiceAccountToken: false,
    containers: (containers ?? [wish]).map(container),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(container) }),
    ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
    ...(podRestart === undefined ? {} : { restartPolicy: podRestart }),
  };
}

/** A pod object. */
export function podBody(wish: PodWish): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: wish.podName }, spec: podSpec(wish) };
}
