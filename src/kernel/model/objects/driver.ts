// A PCI driver as the core knows it: its name, what it matches, and how it behaves. Behaviour (probe,
// remove) is its personality, in drivers/.
import type { Machine } from '../machine.ts';
import type { Errno } from '../../fs.ts';
import type { Task } from '../vfs.ts';
import type { PciDevice } from './pci-device.ts';

/** One line of an id table, or a dynamic id. -1: any. */
export interface DriverId {
  readonly vendor: number;
  readonly device: number;
  readonly subvendor: number;
  readonly subdevice: number;
  readonly class: number;
  readonly classMask: number;
  /** PCI_DRIVER_OVERRIDE_DEVICE_VFIO: matches only with driver_override. */
  readonly overrideOnly: boolean;
}

/** What a probe or removal works with. */
export interface DriverCall {
  readonly machine: Machine;
  readonly device: PciDevice;
  readonly driver: Driver;
  readonly task: Task;
}

/** How a driver behaves. */
export interface Personality {
  /** driver_managed_dma: does not take kernel DMA ownership. */
  readonly managedDma: boolean;
  /** A VFIO driver: registers a VFIO device. */
  readonly vfio: boolean;
  /** Milliseconds of virtual time a probe and a removal take. */
  readonly probeMs: number;
  readonly removeMs: number;
  /** Leaves VFs enabled when it is removed; otherwise it destroys them first (and waits for their users). */
  readonly leavesSriov: boolean;
  /** Has a sriov_configure callback. */
  readonly sriovConfigure: boolean;
  /** PROBE_PREFER_ASYNCHRONOUS. */
  readonly prefersAsync: boolean;
  /** Has an id table at all (pci-stub and uio_pci_generic have none). */
  readonly hasTable: boolean;
  /** Static ids beyond the machine's own devices that name it as native. */
  readonly ids: readonly DriverId[];
  /** What a probe does before its hardware takes time. */
  begin?(call: DriverCall): void;
  /** Null: bound; else the errno of a failed probe (nothing is left behind then). Never sleeps: `probeMs` does. */
  probe(call: DriverCall): Errno | null;
  remove(call: DriverCall): Promise<void>;
  /** reset_done: the function was reset under the bound driver. */
  resetDone?(call: DriverCall): void;
}

/** struct pci_driver. */
export class Driver {
  readonly name: string;
  /** Module that holds it; null: built in and without a module folder. */
  readonly module: string | null;
  /** suppress_bind_attrs. */
  readonly fixed: boolean;
  readonly personality: Personality;
  readonly dynamicIds: DriverId[] = [];
  /** Devices whose `driver` link points here now. */
  readonly linked = new Set<PciDevice>();

  constructor(
    facts: { name: string; module: string | null; fixed: boolean },
    personality: Personality,
  ) {
    this.name = facts.name;
    this.module = facts.module;
    this.fixed = facts.fixed;
    this.personality = personality;
  }

  /** Absolute path of its folder. */
  get path(): string {
    return `/sys/bus/pci/drivers/${this.name}`;
  }
}
