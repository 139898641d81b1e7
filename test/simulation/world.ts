// One simulated node: the kernel model, the stand-in kubelet, containers that use their devices, and the
// agent, which is killed and started as the world pleases. Everything on virtual time.
import { Agent } from '../../src/agent/agent.ts';
import { defaultTiming, noPodKnowledge } from '../../src/agent/ports.ts';
import { silentLog, type Log } from '../../src/base/log.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import { advance, VirtualClock } from '../../src/base/virtual-clock.ts';
import { createHost } from '../../src/host/create-host.ts';
import type { Host } from '../../src/host/host.ts';
import type { KernelFs } from '../../src/kernel/fs.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { MachineSpec } from '../../src/kernel/model/spec.ts';
import { cdiDeviceName, type CdiSpec } from '../../src/kubelet/cdi.ts';
import { defaultDepartureLimits } from '../../src/kubelet/departure.ts';
import type { AllocateAnswer, DevicePluginDoor } from '../../src/kubelet/door.ts';
import type { HolderSource } from '../../src/kubelet/pods.ts';
import { defaultRequestLimits } from '../../src/kubelet/requests.ts';
import type { Delivery, GroupRecord } from '../../src/ownership/record.ts';
import { isPciAddress, type PciAddress } from '../../src/pci/address.ts';
import type { PassthroughPolicy, ResourceName } from '../../src/policy/policy.ts';
import { decodeRecord } from '../../src/record/format.ts';
import {
  emptyRecordDisk,
  memoryRecordStore,
  type RecordFault,
} from '../../src/record/memory-store.ts';
import type { RecordStore } from '../../src/record/store.ts';
import { podResourcesView } from '../../src/standin/holders.ts';
import { InProcessPlugins } from '../../src/standin/in-process.ts';
import { StandinKubelet } from '../../src/standin/kubelet.ts';
import { Checker, type Rule } from './checker.ts';
import { type Doom, Lifeline, type Slowness } from './lifeline.ts';
import { VfioRuntime } from './runtime.ts';
import { hostUse } from './truth.ts';

/** From the list of processes to the write: six answers, each of which may take 30 ms. */
const slowLookMs = 180;

/** Ways to break the agent on purpose, so that the checker can be seen to notice. */
export interface Mutation {
  readonly kernel?: (kernel: KernelFs) => KernelFs;
  readonly host?: (host: Host) => Host;
  readonly records?: (records: RecordStore) => RecordStore;
  readonly holders?: (holders: HolderSource) => HolderSource;
}

/** What a world is made from. */
export interface WorldSetup {
  readonly seed: number;
  readonly spec: MachineSpec;
  readonly policies: readonly PassthroughPolicy[];
  readonly delivery: Delivery;
  readonly mutation?: (nowMs: () => number) => Mutation;
  readonly rules?: readonly Rule[];
  readonly log?: Log;
  /** How slow the machine is towards the agent; without it no call waits. */
  readonly slowness?: Slowness;
}

/** A pass over a slow machine lets the event loop turn now and then: what it does after that belongs to the same moment. */
async function drain(): Promise<void> {
  for (let turn = 0; turn < 3; turn++)
    await new Promise<void>((resolve) => void setImmediate(resolve));
}

const meter = {
  ...{ claimed() {}, returned() {}, allocated() {}, ownerBecameMixed() {}, restoreFailed() {} },
  ...{ surveyed() {}, offersPushed() {} },
};

/** The node. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly model: KernelModel;
  readonly kubelet: StandinKubelet;
  readonly runtime: VfioRuntime;
  readonly checker: Checker;
  readonly disk = emptyRecordDisk();
  readonly specs = new Map<string, CdiSpec>();
  /** Members that the world itself touched: what it did there is not the agent's doing. */
  readonly disturbed = new Set<string>();
  /** When strangers opened a group. */
  readonly foreignerSinceMs = new Map<number, number>();
  /** When a function was last pulled out, in milliseconds of the clock. */
  readonly pulledAtMs = new Map<string, number>();
  readonly setup: WorldSetup;
  policies: readonly PassthroughPolicy[];
  /** What agents that start from now on promise. */
  delivery: Delivery;
  agent: Agent | null = null;
  crash: unknown = null;
  recordFault: RecordFault = 'none';
  hintsLost = false;
  readonly blind = new Set<PciAddress | 'storage'>();
  #ready = false;
  #life: Lifeline | null = null;
  #plugins: InProcessPlugins | null = null;

  constructor(setup: WorldSetup) {
    this.setup = setup;
    this.policies = setup.policies;
    this.delivery = setup.delivery;
    this.random = seededRandom(setup.seed);
    const { clock, random } = this;
    this.model = new KernelModel({ spec: setup.spec, clock, random: random.fork('model') });
    const chance = random.fork('runtime');
    this.runtime = new VfioRuntime({
      model: () => this.model,
      specs: this.specs,
      opens: () => chance.chance(0.8),
      onStart: (container, problem) =>
        this.#observe(() => this.checker.containerStarted(container, problem)),
      onEnd: () => undefined,
    });
    this.kubelet = new StandinKubelet({
      clock,
      random: random.fork('kubelet'),
      runtime: this.runtime,
    });
    this.checker = new Checker(
      {
        model: () => this.model,
        nowMs: () => clock.monotonicMs(),
        records: () => this.records(),
        offers: () => (this.#ready ? (this.agent?.offers() ?? null) : null),
        containers: () => this.runtime.running.values(),
        openCalls: () => this.#life?.openCalls ?? [],
        lagMs: () => {
          // Rounds that take long come rarely.
          if (setup.slowness !== undefined) return defaultTiming.roundMaxMs + 10_000;
          return this.hintsLost || !this.model.machine.faults.none ? 40_000 : 35_000;
        },
        blind: () => this.blind,
        disturbed: () => this.disturbed,
        justCame: (pid) =>
          setup.slowness !== undefined &&
          clock.monotonicMs() - (this.foreignerSinceMs.get(pid) ?? -slowLookMs) < slowLookMs,
        pulledAtMs: (address) => this.pulledAtMs.get(address) ?? null,
      },
      setup.rules,
    );
  }

  /** Records that are durable now. */
  records(): readonly GroupRecord[] {
    return [...this.disk.files].map(([name, text]) => {
      const record = decodeRecord(text, name);
      if (record.ok) return record.value;
      throw new Error(`the agent wrote a record that it cannot read: ${record.problem}`);
    });
  }

  /** A breach inside a callback of the model or the kubelet ends the run, not their promise. */
  #observe(check: () => void): void {
    try {
      check();
    } catch (problem) {
      this.crash ??= problem;
    }
  }

  /** Moves time, then looks at the rule. Throws the breach or the crash. */
  async run(ms: number): Promise<void> {
    await advance(this.clock, ms, drain);
    if (this.crash !== null) throw this.crash;
    this.checker.afterStep();
  }

  /** True while an agent lives. */
  get agentLives(): boolean {
    return this.#life?.alive === true;
  }

  /** Starts an agent, unless one lives. `doom`: when it will be killed. */
  startAgent(doom: Doom | null = null): void {
    if (this.agentLives) return;
    const life = new Lifeline(() => this.#agentDied());
    if (doom !== null) life.doom(doom);
    this.#life = life;
    this.#ready = false;
    const agent = new Agent(this.#agentOptions(life));
    this.agent = agent;
    void agent.start().then(
      () => {
        if (!life.alive) return;
        this.#ready = true;
        this.#serve(life, agent);
      },
      (problem: unknown) => void (life.alive && (this.crash ??= problem)),
    );
  }

  #agentOptions(life: Lifeline): ConstructorParameters<typeof Agent>[0] {
    const { log = silentLog, mutation: change, slowness = () => 0 } = this.setup;
    const mutation = change?.(() => this.clock.monotonicMs()) ?? {};
    const clock = life.clock(this.clock);
    const model = mutation.kernel?.(this.model) ?? this.model;
    const check = (path: string, data: string): void =>
      this.#observe(() => this.checker.beforeWrite(path, data));
    const kernel = life.kernel(model, this.clock, check, slowness);
    const host = createHost({ kernel, clock, log: silentLog });
    const faults = life.recordFaults(() => this.recordFault);
    const records = memoryRecordStore({ disk: this.disk, faults });
    const holders = podResourcesView(this.kubelet, clock);
    return {
      ports: {
        ...{ clock, log, meter },
        host: mutation.host?.(host) ?? host,
        records: mutation.records?.(records) ?? records,
        holders: mutation.holders?.(holders) ?? holders,
        cdi: this.#cdi(life),
        pods: noPodKnowledge,
        departure: defaultDepartureLimits,
        timing: defaultTiming,
        mode: { delivery: this.delivery, deviceRoot: '' },
      },
      nodeLabels: {},
      policies: this.policies,
      onCrash: (problem) => void (life.alive && (this.crash ??= problem)),
    };
  }

  #cdi(life: Lifeline): ConstructorParameters<typeof Agent>[0]['ports']['cdi'] {
    return {
      write: async (leader, spec) => {
        if (!life.alive) return;
        this.specs.set(cdiDeviceName(spec.kind as ResourceName, leader), spec);
      },
      remove: async (leader) => {
        for (const name of this.specs.keys())
          if (name.endsWith(`=${leader}`)) this.specs.delete(name);
      },
    };
  }

  #serve(life: Lifeline, agent: Agent): void {
    const clock = life.clock(this.clock);
    const door: DevicePluginDoor = {
      offers: () => agent.offers(),
      onOffersChanged: (listener) => agent.onOffersChanged(listener),
      allocate: (resource, ids) => this.#allocate(agent, resource, ids),
      preStart: (resource, ids, waitMs) => agent.preStart(resource, ids, waitMs),
    };
    this.#plugins = new InProcessPlugins({
      ...{ kubelet: this.kubelet, door, clock, log: silentLog, limits: defaultRequestLimits },
      ...{ registerAfterMs: 50, streamlessMs: 10_000 },
    });
    this.#plugins.start();
  }

  async #allocate(
    agent: Agent,
    resource: ResourceName,
    ids: readonly string[],
  ): Promise<AllocateAnswer> {
    const recorded = new Set<string>(this.records().map((record) => record.leader));
    const fresh = ids.filter((id): id is PciAddress => isPciAddress(id) && !recorded.has(id));
    const busy = fresh.map((id) => hostUse(this.model, id));
    const ownMs = (): number => this.clock.monotonicMs() - (this.#life?.waitedMs ?? 0);
    const sinceMs = ownMs();
    const answer = await agent.allocate(resource, ids);
    const tookMs = ownMs() - sinceMs;
    if (tookMs > 5_000) this.crash ??= new Error(`R8: Allocate of ${ids.join()} took ${tookMs} ms`);
    if (answer.kind === 'granted') {
      this.#observe(() => fresh.forEach((id, i) => this.checker.granted(id, busy[i] ?? null)));
    }
    return answer;
  }

  /** kill -9 of the agent. */
  killAgent(): void {
    this.#life?.end();
  }

  /** Arms the death of the agent that lives; null spares it. */
  doomAgent(doom: Doom | null): void {
    this.#life?.doom(doom);
  }

  #agentDied(): void {
    this.#ready = false;
    this.agent = null;
    const plugins = this.#plugins;
    this.#plugins = null;
    plugins?.stop();
  }

  /** The node goes down and comes back: other boot, other group numbers perhaps, native drivers. */
  reboot(renumber: boolean): void {
    this.killAgent();
    this.kubelet.powerOff();
    const digits = String(this.random.below(1_000_000)).padStart(12, '0');
    const bootId = `5eed0000-0000-4000-8000-${digits}`;
    this.model.reboot({ bootId, renumber });
    this.specs.clear();
    for (const address of this.model.machine.devices.keys()) this.disturbed.delete(address);
    this.kubelet.start();
  }
}
