// Makes actions happen in a world. An action that has become impossible does nothing.
import { seededRandom } from '../../src/base/random.ts';
import {
  changeLink,
  mount,
  swapOff,
  swapOn,
  unmount,
} from '../../src/kernel/model/surroundings/host-operations.ts';
import type { DeviceSpec } from '../../src/kernel/model/spec.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import type { PodSpec } from '../../src/standin/pod.ts';
import type { Action } from './actions.ts';
import { randomPolicies } from './policies.ts';
import { openGroups } from './runtime.ts';
import type { World } from './world.ts';

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
  stage.world.foreignerSinceMs.set(pid, stage.world.clock.monotonicMs());
  openGroups(model, pid, ['/dev/vfio/vfio', `/dev/vfio/${number}`]);
}

function healFaults(stage: Stage): void {
  const { world } = stage;
  world.model.control.clearFaults();
  world.hintsLost = false;
  world.blind.clear();
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

type Happen = {
  readonly [Kind in Action['kind']]: (
    stage: Stage,
    action: Extract<Action, { kind: Kind }>,
  ) => Promise<void> | void;
};

/** Calls `use` with a function that may be meddled with, when there is one. */
function onDevice(
  use: (stage: Stage, address: PciAddress) => void,
): (stage: Stage, action: { readonly device: number }) => void {
  return (stage, action) => {
    const address = device(stage, action.device);
    if (address !== null) use(stage, address);
  };
}

const happen: Happen = {
  wait: ({ world }, { ms }) => world.run(ms),
  createPod: (stage, action) => {
    stage.pods += 1;
    const { kubelet } = stage.world;
    if (kubelet.pods().length < 12) kubelet.createPod(podOf(action, stage.pods));
  },
  deletePod: ({ world }, { index, graceMs, force }) => {
    const pods = world.kubelet.pods();
    const pod = pods[index % Math.max(1, pods.length)];
    if (pod !== undefined) world.kubelet.deletePod(pod.uid, { graceMs, force });
  },
  restartKubelet: async ({ world }, { downMs }) => {
    world.kubelet.stop();
    await world.run(downMs);
    world.kubelet.start();
  },
  killAgent: ({ world }) => world.killAgent(),
  doomAgent: ({ world }, { after, done }) => world.doomAgent({ after, done }),
  startAgent: ({ world }) => world.startAgent(),
  reboot: (stage, { renumber }) => {
    healFaults(stage);
    stage.foreigners.length = 0;
    stage.world.reboot(renumber);
  },
  healFaults,
  loseHints: ({ world }) => {
    world.hintsLost = true;
    world.model.control.inject({ kind: 'uevent-loss', chance: 0.7 });
  },
  blindStorage: (stage, { path }) => blind(stage, 'storage', path),
  blindDevice: (stage, action) =>
    onDevice((_stage, address) =>
      blind(stage, address, `/sys/bus/pci/devices/${address}/${action.file}`),
    )(stage, action),
  hangUnbind: onDevice(({ world }, address) => {
    world.model.control.inject({ kind: 'unbind-hang', address, times: 1 });
  }),
  failProbe: onDevice(({ world }, address) => {
    world.model.control.inject({ kind: 'probe-errno', address, errno: 'EIO', times: 2 });
  }),
  failReset: onDevice(({ world }, address) => {
    world.model.control.inject({ kind: 'reset-failure', address, errno: 'ENOTTY', times: 1 });
  }),
  stealer: onDevice(({ world }, address) => {
    world.disturbed.add(address);
    world.model.control.inject({ kind: 'autoload-steal', address, afterMs: 1, times: 1 });
  }),
  foreignOpen: onDevice(foreignOpen),
  foreignClose: (stage) => {
    for (const pid of stage.foreigners.splice(0)) stage.world.model.control.kill(pid, 9);
  },
  unplug: onDevice((stage, address) => {
    const { world } = stage;
    const spec = world.model.machine.devices.get(address)?.spec;
    if (spec === undefined) return;
    world.disturbed.add(address);
    world.pulledAtMs.set(address, world.clock.monotonicMs());
    stage.unplugged.push(spec);
    void world.model.control.hotRemove(address);
  }),
  plug: (stage) => {
    const spec = stage.unplugged.shift();
    if (spec === undefined) return;
    stage.world.disturbed.add(spec.address);
    void stage.world.model.control.hotAdd(spec);
  },
  refuseRecords: ({ world }, { on }) => {
    world.recordFault = on ? 'refused' : 'none';
  },
  policies: ({ world }, { seed }) => {
    world.policies = randomPolicies(seededRandom(seed));
    world.agent?.setPolicies(world.policies);
  },
  cordon: (stage, action) =>
    onDevice((_stage, address) => {
      if (action.on) stage.cordons.set(address, 'test');
      else stage.cordons.delete(address);
      stage.world.agent?.setCordons(new Map(stage.cordons));
    })(stage, action),
  link: (stage, { index, up }) => {
    const names = children(stage, 'net');
    const name = names[index % Math.max(1, names.length)];
    const change = up ? { up } : { up, addresses: [] };
    if (name !== undefined) changeLink(stage.world.model.machine, name, change);
  },
  mount: storage,
  unmount: storage,
  swap: storage,
};

/** Makes an action happen; time passes afterwards, not here (but for `wait` and a kubelet that is down). */
export async function perform(stage: Stage, action: Action): Promise<void> {
  // The table has a row for every kind; the type checker cannot follow the pair of kind and row.
  const row = happen[action.kind] as (stage: Stage, action: Action) => Promise<void> | void;
  await row(stage, action);
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
