// The running machine: everything that exists now, behind which the operations, the sysfs surface, the
// surroundings and the control surface stand. Holds state and finds things; decides nothing.
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { slotOf, type PciAddress } from '../../pci/address.ts';
import { Faults } from './faults.ts';
import type { GroupingTree } from './grouping.ts';
import { ChildIndex } from './objects/child-index.ts';
import type { Driver } from './objects/driver.ts';
import type { Group } from './objects/group.ts';
import { hostStateOf, type HostState } from './objects/host-state.ts';
import { IdAllocator } from './objects/ids.ts';
import { Journal } from './objects/journal.ts';
import { SleepLock } from './objects/lock.ts';
import type { PciDevice } from './objects/pci-device.ts';
import type { PlatformDevice } from './objects/platform-device.ts';
import { ProcessTable } from './objects/process.ts';
import { UeventBus } from './objects/uevents.ts';
import type { VfioGroup } from './objects/vfio-device.ts';
import { profileOf, type Profile } from './profiles.ts';
import type { DeviceSpec, MachineSpec } from './spec.ts';
import { Surface } from './tree.ts';
import type { Task } from './vfs.ts';

/** A module that is in the kernel. */
export interface LoadedModule {
  readonly name: string;
  refs: number;
}

/** What a machine runs on. */
export interface MachineSetup {
  readonly spec: MachineSpec;
  readonly clock: Clock;
  readonly random: Random;
  /** What outlives a reboot: the journal of the checkers, armed faults, and those who listen. */
  readonly kept?: Pick<Machine, 'faults' | 'journal' | 'uevents'>;
}

const journalEntriesMax = 100_000;
const logLinesMax = 10_000;

/** The machine. */
export class Machine {
  readonly spec: MachineSpec;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly random: Random;
  /** PCI functions in the order the bus found them. */
  readonly devices = new Map<PciAddress, PciDevice>();
  readonly platform = new Map<string, PlatformDevice>();
  /** Drivers in order of registration: the order in which a probe tries them. */
  readonly drivers = new Map<string, Driver>();
  readonly modules = new Map<string, LoadedModule>();
  readonly groups = new Map<number, Group>();
  readonly groupIds = new IdAllocator();
  /** VFIO groups with a node in /dev/vfio, in order of creation. */
  readonly vfioGroups: VfioGroup[] = [];
  readonly vfioIds = new IdAllocator();
  readonly children = new ChildIndex();
  /** Counters of names that drivers give, by kind (`eth`, `nvme`, `wakeup`). */
  readonly nameIds = new Map<string, IdAllocator>();
  readonly processes = new ProcessTable();
  readonly uevents: UeventBus;
  /** pci_rescan_remove_lock: one for the whole machine. */
  readonly rescanLock = new SleepLock();
  readonly surface = new Surface();
  readonly faults: Faults;
  readonly journal: Journal;
  /** Functions that are in their slots but not enumerated: what a rescan finds. */
  readonly hidden = new Map<PciAddress, DeviceSpec>();
  /** Devices whose probe was deferred. */
  readonly deferred = new Set<PciDevice>();
  readonly host: HostState;
  /** drivers_autoprobe. */
  autoprobe = true;
  /** The machine is being brought up: nothing is announced, and nothing takes time. */
  booting = true;
  bootId: string;
  taint = 0;
  /** vfio_iommu_type1 (and iommufd) allow_unsafe_interrupts. */
  unsafeInterruptsAllowed: boolean;
  noiommuMode: boolean;
  /** Why the host is down (a BUG on legacy kernels); null: it runs. */
  crashed: string | null = null;
  #log: string[] = [];
  readonly #slots = new Map<string, PciDevice[]>();

  constructor(setup: MachineSetup) {
    this.spec = setup.spec;
    this.profile = profileOf(setup.spec.profile);
    this.clock = setup.clock;
    this.random = setup.random;
    this.faults = setup.kept?.faults ?? new Faults(setup.random.fork('faults'));
    this.journal = setup.kept?.journal ?? new Journal(journalEntriesMax);
    this.uevents = setup.kept?.uevents ?? new UeventBus();
    this.host = hostStateOf(setup.spec);
    this.bootId = setup.spec.bootId;
    this.unsafeInterruptsAllowed = setup.spec.iommu.unsafeInterruptsAllowed;
    this.noiommuMode = setup.spec.noiommuMode;
  }

  /** Whether functions get IOMMU groups at all. */
  get hasIommu(): boolean {
    return this.spec.iommu.kind !== 'none';
  }

  /** `uname -r`. */
  get release(): string {
    return this.spec.release ?? this.profile.release;
  }

  /** The name counter of a kind. */
  ids(kind: string): IdAllocator {
    let ids = this.nameIds.get(kind);
    if (ids === undefined) {
      ids = new IdAllocator();
      this.nameIds.set(kind, ids);
    }
    return ids;
  }

  /** Adds a function to the bus lists. */
  addDevice(device: PciDevice): void {
    this.devices.set(device.address, device);
    device.parent?.below.set(device.address, device);
    const slot = slotOf(device.address);
    const peers = this.#slots.get(slot);
    if (peers === undefined) this.#slots.set(slot, [device]);
    else peers.push(device);
  }

  /** Takes a function out of the bus lists. */
  removeDevice(device: PciDevice): void {
    this.devices.delete(device.address);
    device.parent?.below.delete(device.address);
    const slot = slotOf(device.address);
    const left = (this.#slots.get(slot) ?? []).filter((peer) => peer !== device);
    if (left.length === 0) this.#slots.delete(slot);
    else this.#slots.set(slot, left);
  }

  /** The functions that exist, for the grouping algorithm. */
  groupingTree(): GroupingTree {
    return {
      find: (address) => this.devices.get(address)?.spec,
      slot: (slot) => (this.#slots.get(slot) ?? []).map((device) => device.spec),
    };
  }

  /** Adds a line to the kernel log. */
  log(line: string): void {
    this.#log.push(line);
    if (this.#log.length > logLinesMax) this.#log = this.#log.slice(-logLinesMax / 2);
  }

  /** The kernel log. */
  logLines(): readonly string[] {
    return this.#log;
  }

  /** Sleeps uninterruptibly (msleep) for virtual time; undefined when there is nothing to wait for. */
  pause(task: Task, forMs: number): Promise<void> | undefined {
    if (forMs <= 0) return undefined;
    task.state = 'D';
    task.justWoken = false;
    return new Promise((resolve) => {
      this.clock.after(forMs, () => {
        task.state = 'R';
        resolve();
      });
    });
  }
}
