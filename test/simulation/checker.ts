// The rule R1–R9, checked on the simulated machine after every step and at every write. A breach is thrown.
import type { GroupRecord } from '../../src/ownership/record.ts';
import { isPciAddress, type PciAddress } from '../../src/pci/address.ts';
import { type Effect, effectOf } from './effects.ts';
import { endpointsOf } from './members.ts';
import type { RunningContainer } from './runtime.ts';
import { groupMembers, hasDisks, hostUse, insiders, notTaken } from './truth.ts';
import type { Watched } from './watched.ts';

/** The lines of the rule. */
export const rules = ['R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8', 'R9'] as const;

/** One line of the rule. */
export type Rule = (typeof rules)[number];

/** The rule was broken. */
class Breach extends Error {
  override readonly name = 'Breach';
  readonly rule: Rule;

  constructor(rule: Rule, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

interface Original {
  readonly driver: string | null;
  readonly override: string | null;
  readonly bootId: string;
}

const callMsMax = 2_500;
/** A device may be pulled out between PreStartContainer's answer and the start of the container. */
const startMsMax = 1_000;

/** Watches one world. `only`: the lines that are checked (all by default). */
export class Checker {
  readonly #watched: Watched;
  readonly #only: ReadonlySet<Rule>;
  readonly #busySince = new Map<PciAddress, number>();
  readonly #blindSince = new Map<PciAddress, number>();
  /** What every member was before the agent first wrote to it; kept while a record names it. */
  readonly #originals = new Map<PciAddress, Original>();
  #recorded: readonly GroupRecord[] = [];

  constructor(watched: Watched, only: readonly Rule[] = rules) {
    this.#watched = watched;
    this.#only = new Set(only);
  }

  /** Throws when `broken` and this line is checked. */
  #require(rule: Rule, holds: boolean, message: () => string): void {
    if (holds || !this.#only.has(rule)) return;
    throw new Breach(rule, message());
  }

  /** Before each write of the agent: R4 and R6, and what was there before for R5. */
  beforeWrite(path: string, data: string): void {
    const effect = effectOf(path, data);
    if (effect === null) return;
    const { address } = effect;
    const records = this.#watched.records();
    const record = records.find((one) => one.members.some((member) => member.address === address));
    this.#require(
      'R6',
      record !== undefined,
      () => `"${data}" to ${path} without a durable record of ${address}`,
    );
    this.#keepOriginal(address);
    if (!this.#disturbs(effect)) return;
    this.#require(
      'R4',
      record?.phase !== 'Assigned',
      () => `"${data}" to ${path} while ${record?.leader} is recorded as assigned`,
    );
    const inside = insiders(this.#watched.model(), address).filter(
      (pid) => !this.#watched.justCame(pid),
    );
    this.#require(
      'R4',
      inside.length === 0,
      () => `"${data}" to ${path} while ${inside.join(', ')} is inside`,
    );
    const holder = this.#holderOf(address);
    this.#require(
      'R4',
      holder === null,
      () => `"${data}" to ${path} while container ${holder ?? ''} has the group`,
    );
  }

  /** Writes that take something away from a tenant; those of a claim do not. */
  #disturbs(effect: Effect): boolean {
    const device = this.#watched.model().machine.devices.get(effect.address);
    switch (effect.what) {
      case 'reset':
        return true;
      case 'override':
        return effect.driver !== 'vfio-pci';
      case 'bind':
        return effect.driver !== 'vfio-pci';
      case 'unbind':
        return effect.driver === 'vfio-pci';
      case 'probe':
        return device?.override !== 'vfio-pci';
    }
  }

  #holderOf(address: PciAddress): string | null {
    const members = new Set<string>(
      groupMembers(this.#watched.model(), address).map((m) => m.address),
    );
    for (const container of this.#watched.containers()) {
      if (container.leaders.some((leader) => members.has(leader))) {
        return `${container.run.pod}/${container.run.container}`;
      }
    }
    return null;
  }

  #keepOriginal(address: PciAddress): void {
    if (this.#originals.has(address)) return;
    const device = this.#watched.model().machine.devices.get(address);
    if (device === undefined) return;
    const { bootId } = this.#watched.model().machine;
    this.#originals.set(address, {
      driver: device.driver?.name ?? null,
      override: device.override,
      bootId,
    });
  }

  /** When a container starts: R2 and R3. `problem`: what VFIO refused it. */
  containerStarted(container: RunningContainer, problem: string | null): void {
    const model = this.#watched.model();
    for (const leader of container.leaders) {
      if (!isPciAddress(leader)) continue;
      const pulledAtMs = this.#watched.pulledAtMs(leader);
      if (pulledAtMs !== null && this.#watched.nowMs() - pulledAtMs < startMsMax) continue;
      const unfit = notTaken(model, leader);
      const who = `${container.run.pod}/${container.run.container}`;
      this.#require(
        'R3',
        unfit === null,
        () => `container ${who} started with the group of ${leader}: ${unfit ?? ''}`,
      );
      const others = [...this.#watched.containers()].filter(
        (other) => other.run.uid !== container.run.uid && other.leaders.includes(leader),
      );
      this.#require(
        'R2',
        others.length === 0,
        () => `${leader} is in ${who} and in ${others[0]?.run.pod ?? ''}`,
      );
    }
    const viable =
      problem === null || !problem.includes('SET_CONTAINER') || !problem.endsWith('EPERM');
    this.#require(
      'R3',
      viable,
      () => `container ${container.run.pod} was refused by VFIO: ${problem ?? ''}`,
    );
  }

  /** A grant of Allocate for a group that was with the host: R1 at the moment that counts. */
  granted(leader: PciAddress, busyBefore: string | null): void {
    const busy = hostUse(this.#watched.model(), leader);
    this.#require(
      'R1',
      busyBefore === null || busy === null,
      () => `${leader} was granted while ${busy ?? ''}`,
    );
  }

  /** After every step. */
  afterStep(): void {
    this.#recordsEnded();
    this.#offersHold();
    this.#tenantsKeepTheirGroups();
    for (const call of this.#watched.openCalls()) {
      const ageMs = this.#watched.nowMs() - call.sinceMs;
      this.#require(
        'R8',
        ageMs <= callMsMax,
        () => `${call.what} has not answered for ${ageMs} ms`,
      );
    }
  }

  /** R5, when a record goes: every member that is left is as it was. */
  #recordsEnded(): void {
    const now = this.#watched.records();
    const { machine } = this.#watched.model();
    for (const before of this.#recorded) {
      if (now.some((record) => record.leader === before.leader)) continue;
      for (const { address, role } of before.members) {
        // Given back and taken again within one step: the next record answers for it.
        const again = now.some((record) =>
          record.members.some((member) => member.address === address),
        );
        if (again) continue;
        const original = this.#originals.get(address);
        this.#originals.delete(address);
        const device = machine.devices.get(address);
        if (role === 'bridge' || original === undefined || device === undefined) continue;
        if (original.bootId !== machine.bootId || this.#watched.disturbed().has(address)) continue;
        const is = `${device.driver?.name ?? null}, override ${device.override}`;
        const was = `${original.driver}, override ${original.override}`;
        this.#require('R5', is === was, () => `${address} came back as ${is}; it was ${was}`);
      }
    }
    this.#recorded = now;
  }

  /** R1 and R7: what is offered healthy is releasable or ours, and nothing is offered blindly. */
  #offersHold(): void {
    const ours = new Set(this.#watched.records().map((record) => record.leader));
    const listed = new Set<PciAddress>();
    for (const devices of this.#watched.offers()?.values() ?? []) {
      for (const { id, healthy } of devices) {
        listed.add(id);
        const busy = hostUse(this.#watched.model(), id);
        const busyMs = this.#lasting(this.#busySince, id, busy !== null);
        const blindMs = this.#lasting(this.#blindSince, id, this.#isBlind(id));
        if (!healthy || ours.has(id)) continue;
        const lagMs = this.#watched.lagMs();
        this.#require(
          'R1',
          busyMs <= lagMs,
          () => `${id} is offered though for ${busyMs} ms ${busy ?? ''}`,
        );
        this.#require(
          'R7',
          blindMs <= lagMs,
          () => `${id} is offered though it cannot be known who uses it`,
        );
      }
    }
    for (const since of [this.#busySince, this.#blindSince]) {
      for (const id of since.keys()) if (!listed.has(id)) since.delete(id);
    }
  }

  /** For how long something has been so (0: it is not, or it was seen for the first time now). */
  #lasting(since: Map<PciAddress, number>, id: PciAddress, is: boolean): number {
    if (!is) {
      since.delete(id);
      return 0;
    }
    const nowMs = this.#watched.nowMs();
    const firstMs = since.get(id) ?? nowMs;
    since.set(id, firstMs);
    return nowMs - firstMs;
  }

  /** Whether something that matters for this group cannot be read. */
  #isBlind(leader: PciAddress): boolean {
    const blind = this.#watched.blind();
    if (blind.size === 0) return false;
    const model = this.#watched.model();
    return endpointsOf(groupMembers(model, leader)).some(
      (member) => blind.has(member.address) || (blind.has('storage') && hasDisks(model, member)),
    );
  }

  /** R9: whatever happens to agent and kubelet, a running container keeps what it has. */
  #tenantsKeepTheirGroups(): void {
    const { machine } = this.#watched.model();
    for (const container of this.#watched.containers()) {
      for (const leader of container.leaders) {
        if (!isPciAddress(leader)) continue;
        for (const member of endpointsOf(groupMembers(this.#watched.model(), leader))) {
          const driver = machine.devices.get(member.address)?.driver?.name ?? null;
          const kept = driver === 'vfio-pci' || this.#watched.disturbed().has(member.address);
          const who = container.run.pod;
          this.#require(
            'R9',
            kept,
            () => `${member.address} of running container ${who} is bound to ${driver}`,
          );
        }
      }
    }
  }
}
