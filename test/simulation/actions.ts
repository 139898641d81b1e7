// What can happen in a world, as data: chosen at random from what is possible, printed, replayed, left out
// when a failing run is shrunk. An action that has become impossible does nothing.
import type { Random } from '../../src/base/random.ts';
import {
  changeLink,
  mount,
  swapOff,
  swapOn,
  unmount,
} from '../../src/kernel/model/surroundings/host-operations.ts';
import type { DeviceSpec } from '../../src/kernel/model/spec.ts';
import { isPciAddress, type PciAddress } from '../../src/pci/address.ts';
import type { PodSpec } from '../../src/standin/pod.ts';
import { openGroups } from './runtime.ts';
import { randomPolicies, resourceNames } from './policies.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { World } from './world.ts';

/** One thing that happens. */
export type Action =
  | { readonly kind: 'wait'; readonly ms: number }
  | {
      readonly kind: 'createPod';
      readonly resource: string;
      readonly count: number;
      readonly shape: 'plain' | 'crashing' | 'job' | 'init';
    }
  | {
      readonly kind: 'deletePod';
      readonly index: number;
      readonly graceMs: number;
      readonly force: boolean;
    }
  | { readonly kind: 'restartKubelet'; readonly downMs: number }
  | { readonly kind: 'killAgent' }
  | { readonly kind: 'doomAgent'; readonly after: number; readonly done: boolean }
  | { readonly kind: 'startAgent' }
  | { readonly kind: 'reboot'; readonly renumber: boolean }
  | { readonly kind: 'hangUnbind'; readonly device: number }
  | { readonly kind: 'failProbe'; readonly device: number }
  | { readonly kind: 'failReset'; readonly device: number }
  | { readonly kind: 'stealer'; readonly device: number }
  | { readonly kind: 'loseHints' }
  | { readonly kind: 'blindStorage'; readonly path: string }
  | { readonly kind: 'blindDevice'; readonly device: number; readonly file: string }
  | { readonly kind: 'healFaults' }
  | { readonly kind: 'link'; readonly index: number; readonly up: boolean }
  | { readonly kind: 'mount'; readonly index: number }
  | { readonly kind: 'unmount'; readonly index: number }
  | { readonly kind: 'swap'; readonly index: number; readonly on: boolean }
  | { readonly kind: 'foreignOpen'; readonly device: number }
  | { readonly kind: 'foreignClose' }
  | { readonly kind: 'unplug'; readonly device: number }
  | { readonly kind: 'plug' }
  | { readonly kind: 'refuseRecords'; readonly on: boolean }
  | { readonly kind: 'policies'; readonly seed: number }
  | { readonly kind: 'cordon'; readonly device: number; readonly on: boolean };

/** Chances of the kinds, per mille of their sum. */
const weights: readonly (readonly [weight: number, make: (random: Random) => Action])[] = [
  [160, (r) => ({ kind: 'wait', ms: r.pick([1, 20, 300, 2_000, 12_000, 40_000]) })],
  [
    200,
    (r) => ({
      kind: 'createPod',
      resource: r.pick(resourceNames),
      count: r.pick([1, 1, 1, 2]),
      shape: r.pick(['plain', 'plain', 'crashing', 'job', 'init']),
    }),
  ],
  [
    150,
    (r) => ({
      kind: 'deletePod',
      index: r.below(8),
      graceMs: r.pick([0, 0, 1_000, 30_000]),
      force: r.chance(0.15),
    }),
  ],
  [25, (r) => ({ kind: 'restartKubelet', downMs: r.pick([0, 500, 20_000]) })],
  [25, () => ({ kind: 'killAgent' })],
  [
    90,
    (r) => ({ kind: 'doomAgent', after: r.below(r.pick([20, 200, 2_000])), done: r.chance(0.5) }),
  ],
  [60, () => ({ kind: 'startAgent' })],
  [12, (r) => ({ kind: 'reboot', renumber: r.chance(0.5) })],
  [20, (r) => ({ kind: 'hangUnbind', device: r.below(64) })],
  [20, (r) => ({ kind: 'failProbe', device: r.below(64) })],
  [10, (r) => ({ kind: 'failReset', device: r.below(64) })],
  [15, (r) => ({ kind: 'stealer', device: r.below(64) })],
  [10, () => ({ kind: 'loseHints' })],
  [10, (r) => ({ kind: 'blindStorage', path: r.pick(['/proc/1/mountinfo', '/proc/swaps']) })],
  [
    12,
    (r) => ({
      kind: 'blindDevice',
      device: r.below(64),
      file: r.pick(['vendor', 'class', 'enable', 'driver_override', 'config']),
    }),
  ],
  [50, () => ({ kind: 'healFaults' })],
  [40, (r) => ({ kind: 'link', index: r.below(16), up: r.chance(0.4) })],
  [20, (r) => ({ kind: 'mount', index: r.below(16) })],
  [25, (r) => ({ kind: 'unmount', index: r.below(16) })],
  [15, (r) => ({ kind: 'swap', index: r.below(16), on: r.chance(0.4) })],
  [20, (r) => ({ kind: 'foreignOpen', device: r.below(64) })],
  [25, () => ({ kind: 'foreignClose' })],
  [12, (r) => ({ kind: 'unplug', device: r.below(64) })],
  [15, () => ({ kind: 'plug' })],
  [20, (r) => ({ kind: 'refuseRecords', on: r.chance(0.3) })],
  [15, (r) => ({ kind: 'policies', seed: r.below(1_000_000) })],
  [12, (r) => ({ kind: 'cordon', device: r.below(64), on: r.chance(0.5) })],
];

const weightSum = weights.reduce((sum, [weight]) => sum + weight, 0);

/** The next thing that happens. */
export function chooseAction(random: Random): Action {
  let at = random.below(weightSum);
  for (const [weight, make] of weights) {
    at -= weight;
    if (at < 0) return make(random);
  }
  return { kind: 'wait', ms: 1 };
}

/** What the world keeps between actions. */
export interface Stage {
  readonly world: World;
  readonly unplugged: DeviceSpec[];
  readonly foreigners: number[];
  readonly cordons: Map<PciAddress, string>;
  pods: number;
}

/** A fresh stage. */
export function stageOf(world: World): Stage {
  return { world, unplugged: [], foreigners: [], cordons: new Map(), pods: 0 };
}

function device(stage: Stage, index: number): PciAddress | null {
  // The root disk and the uplink stay: a node without them is another story.
  const addresses = [...stage.world.model.machine.devices.values()]
    .filter((one) => one.spec.header === 'endpoint' && one.spec.parent !== null)
    .map((one) => one.address);
  return addresses[index % Math.max(1, addresses.length)] ?? null;
}

function children(stage: Stage, subsystem: string): readonly string[] {
  const names = stage.world.model.machine.children.of(subsystem).map((child) => child.name);
  return names.filter((name) => name !== 'uplink' && name !== 'lo');
}

function podOf(action: Extract<Action, { kind: 'createPod' }>, number: number): PodSpec {
  const devices = { [action.resource]: action.count };
  const exits =
    action.shape === 'crashing'
      ? { exits: { afterMs: 3_000, code: 1 } }
      : action.shape === 'job'
        ? { exits: { afterMs: 8_000, code: 0 } }
        : {};
  const main = { name: 'main', devices, ...exits };
  const init = { name: 'init', devices, exits: { afterMs: 500, code: 0 } };
  return {
    namespace: 'sim',
    name: `pod-${number}`,
    containers: [main],
    ...(action.shape === 'init' ? { initContainers: [init] } : {}),
    restartPolicy: action.shape === 'job' ? 'Never' : 'Always',
  };
}

function foreignOpen(stage: Stage, address: PciAddress): void {
  const { model } = stage.world;
  const number = model.bindingOf(address)?.group;
  if (number === null || number === undefined) return;
  const pid = model.control.spawnProcess('foreign');
  stage.foreigners.push(pid);
  openGroups(model, pid, ['/dev/vfio/vfio', `/dev/vfio/${number}`]);
}

function healFaults(stage: Stage): void {
  const { world } = stage;
  world.model.control.clearFaults();
  world.hintsLost = false;
  world.blind.clear();
}

/** Makes an action happen; time passes afterwards, not here (but for `wait`). */
export async function perform(stage: Stage, action: Action): Promise<void> {
  const { world } = stage;
  const { control, machine } = world.model;
  switch (action.kind) {
    case 'wait':
      return world.run(action.ms);
    case 'createPod':
      stage.pods += 1;
      if (world.kubelet.pods().length < 12) world.kubelet.createPod(podOf(action, stage.pods));
      return undefined;
    case 'deletePod': {
      const pods = world.kubelet.pods();
      const pod = pods[action.index % Math.max(1, pods.length)];
      if (pod !== undefined)
        world.kubelet.deletePod(pod.uid, { graceMs: action.graceMs, force: action.force });
      return undefined;
    }
    case 'restartKubelet':
      world.kubelet.stop();
      await world.run(action.downMs);
      world.kubelet.start();
      return undefined;
    case 'killAgent':
      world.killAgent();
      return undefined;
    case 'doomAgent':
      world.doomAgent({ after: action.after, done: action.done });
      return undefined;
    case 'startAgent':
      world.startAgent();
      return undefined;
    case 'reboot':
      healFaults(stage);
      stage.foreigners.length = 0;
      world.reboot(action.renumber);
      return undefined;
    case 'healFaults':
      healFaults(stage);
      return undefined;
    case 'loseHints':
      world.hintsLost = true;
      control.inject({ kind: 'uevent-loss', chance: 0.7 });
      return undefined;
    case 'blindStorage':
      blind(stage, 'storage', action.path);
      return undefined;
    case 'foreignClose':
      for (const pid of stage.foreigners.splice(0)) control.kill(pid, 9);
      return undefined;
    case 'refuseRecords':
      world.recordFault = action.on ? 'refused' : 'none';
      return undefined;
    case 'policies':
      world.policies = randomPolicies(seededRandom(action.seed));
      world.agent?.setPolicies(world.policies);
      return undefined;
    case 'link': {
      const name = children(stage, 'net')[
        action.index % Math.max(1, children(stage, 'net').length)
      ];
      if (name !== undefined)
        changeLink(machine, name, { up: action.up, ...(action.up ? {} : { addresses: [] }) });
      return undefined;
    }
    case 'mount':
    case 'unmount':
    case 'swap':
      storage(stage, action);
      return undefined;
    case 'plug':
      return plug(stage);
    case 'blindDevice':
    case 'hangUnbind':
    case 'failProbe':
    case 'failReset':
    case 'stealer':
    case 'foreignOpen':
    case 'unplug':
    case 'cordon': {
      const address = device(stage, action.device);
      if (address !== null) onDevice(stage, action, address);
      return undefined;
    }
  }
}

function blind(stage: Stage, what: PciAddress | 'storage', path: string): void {
  const { world } = stage;
  world.blind.add(what);
  world.model.control.inject({ kind: 'read-errno', path, errno: 'EACCES' });
}

function storage(
  stage: Stage,
  action: Extract<Action, { kind: 'mount' | 'unmount' | 'swap' }>,
): void {
  const { machine } = stage.world.model;
  const blocks = children(stage, 'block').filter((name) => name !== 'nvme0n1');
  const name = blocks[action.index % Math.max(1, blocks.length)];
  if (name === undefined) return;
  if (action.kind === 'mount')
    mount(machine, { source: name, target: `/mnt/${name}`, fsType: 'ext4' });
  else if (action.kind === 'unmount') unmount(machine, `/mnt/${name}`);
  else if (action.on) swapOn(machine, name);
  else swapOff(machine, name);
}

type DeviceAction = Extract<
  Action,
  {
    kind:
      | 'blindDevice'
      | 'hangUnbind'
      | 'failProbe'
      | 'failReset'
      | 'stealer'
      | 'foreignOpen'
      | 'unplug'
      | 'cordon';
  }
>;

function onDevice(stage: Stage, action: DeviceAction, address: PciAddress): void {
  const { world } = stage;
  const { control } = world.model;
  switch (action.kind) {
    case 'blindDevice':
      blind(stage, address, `/sys/bus/pci/devices/${address}/${action.file}`);
      return;
    case 'hangUnbind':
      control.inject({ kind: 'unbind-hang', address, times: 1 });
      return;
    case 'failProbe':
      control.inject({ kind: 'probe-errno', address, errno: 'EIO', times: 2 });
      return;
    case 'failReset':
      control.inject({ kind: 'reset-failure', address, errno: 'ENOTTY', times: 1 });
      return;
    case 'stealer':
      world.disturbed.add(address);
      control.inject({ kind: 'autoload-steal', address, afterMs: 1, times: 1 });
      return;
    case 'foreignOpen':
      foreignOpen(stage, address);
      return;
    case 'unplug': {
      const spec = world.model.machine.devices.get(address)?.spec;
      if (spec === undefined || !isPciAddress(address)) return;
      world.disturbed.add(address);
      stage.unplugged.push(spec);
      void control.hotRemove(address);
      return;
    }
    case 'cordon':
      if (action.on) stage.cordons.set(address, 'test');
      else stage.cordons.delete(address);
      world.agent?.setCordons(new Map(stage.cordons));
  }
}

async function plug(stage: Stage): Promise<void> {
  const spec = stage.unplugged.shift();
  if (spec === undefined) return;
  stage.world.disturbed.add(spec.address);
  void stage.world.model.control.hotAdd(spec);
}

/** Everything that was broken is whole again: what must converge now, has to. */
export async function heal(stage: Stage): Promise<void> {
  const { world } = stage;
  healFaults(stage);
  world.recordFault = 'none';
  for (const pid of stage.foreigners.splice(0)) world.model.control.kill(pid, 9);
  if (!world.kubelet.isUp) world.kubelet.start();
  world.doomAgent(null);
  world.startAgent();
  await world.run(10);
  world.startAgent();
}
