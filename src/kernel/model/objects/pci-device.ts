// One PCI function of the running machine: struct device and struct pci_dev in one. State only; what may be
// done to it is in operations/.
import type { PciAddress } from '../../../pci/address.ts';
import type { DeviceSpec } from '../spec.ts';
import type { ChildDevice } from './child-device.ts';
import type { Driver } from './driver.ts';
import type { Group } from './group.ts';
import { SleepLock } from './lock.ts';
import type { VfioDevice } from './vfio-device.ts';

/** SR-IOV capability of a physical function. */
export interface SriovState {
  readonly total: number;
  /** num_VFs: what sriov_numvfs shows. */
  num: number;
  autoprobe: boolean;
  /** VFs that exist, by index (`virtfnN`). */
  readonly vfs: Map<number, PciDevice>;
}

/** A PCI function. */
export class PciDevice {
  readonly kind = 'pci';
  readonly spec: DeviceSpec;
  readonly address: PciAddress;
  readonly parent: PciDevice | null;
  /** `/devices/pci0000:00/…` */
  readonly devpath: string;
  /** The physical function this is a VF of. */
  readonly physfn: PciDevice | null;
  /** Functions on the buses below a bridge. */
  readonly below = new Map<PciAddress, PciDevice>();
  /** Children that its driver made, in order of creation. */
  readonly children: ChildDevice[] = [];
  readonly lock = new SleepLock();
  /** dev->driver: set from the start of a probe to the end of a removal. */
  driver: Driver | null = null;
  /** The `driver` link: gone at the start of a removal. */
  driverLink = false;
  /** In the driver's list of devices (device_is_bound): set when the probe is over. */
  bound = false;
  everBound = false;
  override: string | null;
  group: Group | null = null;
  enableCount = 0;
  powerState = 'unknown';
  runtimeStatus = 'active';
  vfio: VfioDevice | null = null;
  readonly sriov: SriovState | null;
  /** match_driver: drivers may be tried (pci_bus_add_device has run). */
  matchable = false;
  /** False once device_del ran. */
  registered = true;
  /** The `remove` file was used: it is gone, and the rest follows. */
  removing = false;
  resetMethods: readonly string[];
  readonly bootResetMethods: readonly string[];
  /** Configuration space answers all ones. */
  dead: boolean;
  /** Node of the ACPI namespace that stands for the slot (`/devices/LNXSYSTM:00/…/device:02`), when known. */
  readonly firmwareNode: string | null;
  /** Whether firmware describes the function at all; taken for granted where the machine says nothing. */
  readonly hasFirmwareNode: boolean;
  /** Wakeup source registered for it, with its number. */
  wakeup: ChildDevice | null = null;
  /** A port with power management events has marked it (device_set_wakeup_capable): `power/wakeup` is there. */
  wakeupCapable = false;
  /** Hot-plug slots that its driver (pciehp, shpchp) has registered. */
  driverSlots: readonly string[] = [];
  /** Small settings that can be written and change nothing here (msi_bus, power/control, …). */
  readonly settings: Map<string, string>;

  constructor(
    spec: DeviceSpec,
    links: {
      parent: PciDevice | null;
      rootPath: string;
      physfn: PciDevice | null;
      /** What it can be reset by; all that its hardware can, unless said. */
      resetMethods?: readonly string[];
    },
  ) {
    this.spec = spec;
    this.address = spec.address;
    this.parent = links.parent;
    this.physfn = links.physfn;
    this.devpath = `${links.parent?.devpath ?? links.rootPath}/${spec.address}`;
    this.override = null;
    this.sriov =
      spec.sriov === null
        ? null
        : { total: spec.sriov.totalVfs, num: 0, autoprobe: true, vfs: new Map() };
    this.bootResetMethods = links.resetMethods ?? spec.resetMethods;
    this.resetMethods = this.bootResetMethods;
    this.dead = spec.dead;
    this.firmwareNode = spec.firmwareNode ?? null;
    this.hasFirmwareNode = spec.firmwareNode !== null;
    this.settings = new Map(Object.entries(spec.attributes));
  }

  /** Absolute path of its folder. */
  get path(): string {
    return `/sys${this.devpath}`;
  }

  /** Name of the device for messages and links. */
  get name(): string {
    return this.address;
  }
}
