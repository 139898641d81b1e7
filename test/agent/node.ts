// A node for the tests of the agent's flows: the simulated world with a machine and policies of one's own.
import assert from 'node:assert/strict';
import type { GroupView } from '../../src/agent/view.ts';
import {
  bundledTopology,
  type BundledTopologyName,
} from '../../src/kernel/model/topology-bundled.ts';
import type { PassthroughPolicy, ResourceName } from '../../src/policy/policy.ts';
import type { ContainerSpec, PodView } from '../../src/standin/pod.ts';
import type { Slowness } from '../simulation/lifeline.ts';
import { World } from '../simulation/world.ts';

/** A policy for the two-function e1000 group of the transcripts' machine, changed as a test wants. */
export function policy(change: Partial<PassthroughPolicy> = {}): PassthroughPolicy {
  return {
    name: 'nic',
    createdAt: '',
    resourceName: 'example.com/nic' as ResourceName,
    nodeSelector: {},
    priority: 0,
    devices: [{ address: '0000:00:05.0' }],
    companions: 'SameSlot',
    companionDevices: [],
    primaries: { min: 1, max: 1 },
    binding: 'OnAllocate',
    access: 'Auto',
    vfioDriver: 'vfio-pci',
    waive: ['NetworkInterfaceUp'],
    reset: 'Preferred',
    deviceNodes: null,
    ...change,
  };
}

/** What a node is made from. */
export interface NodeOptions {
  readonly machine?: BundledTopologyName;
  readonly policies?: readonly PassthroughPolicy[];
  readonly delivery?: 'cdi' | 'device-nodes';
  /** How slow the machine is towards the agent. */
  readonly slowness?: Slowness;
}

/** A node with kubelet and agent up, and words for what tests do with it. */
export class Node {
  readonly world: World;

  private constructor(world: World) {
    this.world = world;
  }

  static async up(options: NodeOptions = {}): Promise<Node> {
    const world = new World({
      seed: 1,
      spec: bundledTopology(options.machine ?? 'transcripts'),
      policies: options.policies ?? [policy()],
      delivery: options.delivery ?? 'cdi',
      ...(options.slowness === undefined ? {} : { slowness: options.slowness }),
    });
    const node = new Node(world);
    world.kubelet.start();
    world.startAgent();
    await world.run(2_000);
    return node;
  }

  run(ms: number): Promise<void> {
    return this.world.run(ms);
  }

  /** Creates a pod with one container; its UID. */
  pod(name: string, resource = 'example.com/nic', more: Partial<ContainerSpec> = {}): string {
    const containers = [{ name: 'main', devices: { [resource]: 1 }, ...more }];
    return this.world.kubelet.createPod({ namespace: 'test', name, containers });
  }

  pods(uid: string): PodView {
    const view = this.world.kubelet.pod(uid);
    assert.ok(view, 'the pod is there');
    return view;
  }

  /** `Running`, or the phase with the reason of a container that waits. */
  state(uid: string): string {
    const view = this.pods(uid);
    const waiting = view.containers.map((one) => one.state).find((one) => one.kind === 'waiting');
    if (waiting?.kind === 'waiting') return `${view.phase} ${view.reason || waiting.reason}`.trim();
    return `${view.phase} ${view.reason}`.trim();
  }

  /** What a waiting container or a failed pod is told. */
  message(uid: string): string {
    const view = this.pods(uid);
    const waiting = view.containers.map((one) => one.state).find((one) => one.kind === 'waiting');
    return view.message || (waiting?.kind === 'waiting' ? waiting.message : '');
  }

  /** The agent's view of a group. */
  group(leader = '0000:00:05.0'): GroupView {
    const view = this.world.agent?.views().find((one) => one.leader === leader);
    assert.ok(view, `the agent knows ${leader}`);
    return view;
  }

  /** Driver of a function now. */
  driver(address: string): string | null {
    return this.world.model.bindingOf(address as never)?.driver ?? null;
  }

  /** Ends the agent; call at the end of every test. */
  down(): void {
    this.world.killAgent();
  }
}
