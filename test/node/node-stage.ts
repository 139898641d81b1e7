// A cluster whose node is a guest, with wholegroup installed: what scenes ask of it, at the API server, in the pods, and
// in the guest's own sysfs.
import assert from 'node:assert/strict';
import type { AnyCluster, AnyNode } from '../cluster/harness/any-cluster.ts';
import type { Cluster } from '../cluster/harness/cluster.ts';
import type { Pod } from '../cluster/stage/objects.ts';
import { Stage } from '../cluster/stage/stage.ts';
import { until } from '../cluster/stage/wait.ts';
import type { FlowGroup } from '../kernel/guest/flow/groups.ts';
import type { GuestNode } from './guest-node.ts';
import { holding, type VfioPod, vfioPodSpec } from './vfio-pod.ts';

const podsPath = '/api/v1/namespaces/default/pods';

/** Why a pod was rejected that may be created again, and how often one is created at most. */
const tooLate = /did not answer within/;
const attemptsMax = 4;

function refuse(): never {
  throw new Error('a guest is another machine: it is reached over its own channel');
}

/** The node as the stage of a cluster knows nodes: by its name, and not from this machine. */
function nodeElsewhere(name: string): AnyNode {
  return {
    name,
    path: refuse,
    read: refuse,
    write: refuse,
    erase: refuse,
    run: async () => await Promise.reject(new Error(`${name} is a guest`)),
    start: refuse,
    stop: async () => await Promise.reject(new Error(`${name} is a guest`)),
    containerdReady: async () => await Promise.reject(new Error(`${name} is a guest`)),
    logOf: refuse,
  };
}

function withGuest(cluster: Cluster, guest: GuestNode): AnyCluster {
  const node = nodeElsewhere(guest.name);
  return {
    api: cluster.api,
    nodes: [node],
    node: () => node,
    [Symbol.asyncDispose]: async () => {
      await guest[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

/** What a pod is to be, for a group of the machine. */
export type Wish = Omit<VfioPod, 'resource' | 'addresses'>;

/** The stage. */
export class NodeStage implements AsyncDisposable {
  readonly stage: Stage;
  readonly guest: GuestNode;
  readonly cluster: Cluster;

  constructor(cluster: Cluster, guest: GuestNode) {
    this.cluster = cluster;
    this.stage = new Stage(withGuest(cluster, guest));
    this.guest = guest;
  }

  /** Creates a pod that wants the group of which this one is. */
  async createPod(wish: Wish, group: FlowGroup): Promise<void> {
    const addresses = await this.guest.endpoints(group.leader);
    await this.#create({ ...wish, resource: group.resource, addresses });
  }

  /** Creates a pod that wants one of the groups of a resource. */
  async createAnyPod(wish: Wish, resource: string): Promise<void> {
    await this.#create({ ...wish, resource, addresses: [] });
  }

  async #create(pod: VfioPod): Promise<void> {
    const metadata = { name: pod.name };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: vfioPodSpec(pod) };
    await this.stage.create(podsPath, body);
  }

  /**
   * Creates a pod and returns when the kubelet has admitted it. One that was rejected because the agent did not answer the
   * kubelet in time is created again, as whoever owns it would: an emulated machine can be as slow.
   */
  async admitPod(wish: Wish, group: FlowGroup): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      await this.createPod(wish, group);
      const { status } = await this.stage.untilPod(
        wish.name,
        'was admitted or rejected',
        ({ status }) => status.phase === 'Failed' || status.containerStatuses !== undefined,
      );
      if (status.phase !== 'Failed' || !tooLate.test(status.message ?? '')) return;
      console.log(`  ${wish.name} is created again: ${status.message}`);
      await this.stage.removePod(wish.name);
      await this.stage.untilGroupPhase(group.leader, 'WithHost');
    }
    throw new Error(`${wish.name} was rejected ${attemptsMax} times`);
  }

  /** Creates a pod and returns when its program holds the group; all that it has said. */
  async runPod(wish: Wish, group: FlowGroup): Promise<readonly string[]> {
    await this.admitPod(wish, group);
    return await this.holds(wish.name);
  }

  /** Returns when the program of a pod holds its group; all that it has said. */
  async holds(pod: string): Promise<readonly string[]> {
    return await this.hears(pod, holding);
  }

  /** Returns when a pod has said a line; all that it has said. Fails when it ends without that. */
  async hears(pod: string, wanted: string): Promise<readonly string[]> {
    const look = async (): Promise<readonly string[] | null> => {
      const { phase } = (await this.stage.pod(pod))?.status ?? {};
      const lines = (await this.stage.logs(pod)).split('\n');
      if (lines.includes(wanted)) return lines;
      assert(phase !== 'Succeeded' && phase !== 'Failed', `${pod} ${phase}: ${lines.join('; ')}`);
      return null;
    };
    const tell = async (): Promise<string> =>
      `${await this.stage.logs(pod)}\n${await this.stage.tellPod(pod)}`;
    return await until(`${pod} says "${wanted}"`, look, { tell });
  }

  /** Every endpoint of a group is on VFIO. */
  async isTaken(group: FlowGroup): Promise<boolean> {
    const lines = (await this.guest.bindings(group.leader)).split('\n');
    return lines.every((line) => line.includes(' driver=vfio-pci '));
  }

  /** Fails unless every endpoint of a group is on VFIO. */
  async checkTaken(group: FlowGroup): Promise<void> {
    assert(await this.isTaken(group), await this.guest.bindings(group.leader));
  }

  /** Returns when the host has a group as it had it, by sysfs, and it is offered again; `before`: its bindings then. */
  async returned(group: FlowGroup, before: string): Promise<void> {
    await until(
      `${group.name} is as it was`,
      async () => ((await this.guest.bindings(group.leader)) === before ? true : null),
      { tell: async () => `${await this.guest.bindings(group.leader)}\nbefore:\n${before}` },
    );
    await this.stage.untilGroupPhase(group.leader, 'WithHost');
    await this.stage.untilAllocatable(group.resource, 1);
  }

  /** Returns when a pod has this reason why it cannot be scheduled. */
  async cannotBeScheduled(pod: string, why: string): Promise<Pod> {
    return await this.stage.untilPod(pod, 'cannot be scheduled', ({ status }) =>
      (status.conditions ?? []).some(
        ({ reason, message = '' }) => reason === 'Unschedulable' && message.includes(why),
      ),
    );
  }

  /** The control group of a container, in the guest's own hierarchy. */
  async controlGroup({ metadata, status }: Pod): Promise<string> {
    const [container] = status.containerStatuses ?? [];
    const id = container?.containerID?.replace(/^.*\//, '') ?? '';
    return await this.guest.say(
      `ls -d /sys/fs/cgroup/kubepods/*/pod${metadata.uid}/${id} /sys/fs/cgroup/kubepods/pod${metadata.uid}/${id} 2>/dev/null | grep .`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage[Symbol.asyncDispose]();
  }
}
