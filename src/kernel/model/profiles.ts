// What differs between the kernels the model answers as, as one table of switches. Code asks a switch,
// never a version. Sources: drivers/{base,pci,iommu,vfio} of 5.10.262, 6.1.192, 6.12.117 and 7.2.13.
import type { KernelProfile } from './spec.ts';

/** Switches of one kernel. */
export interface Profile {
  readonly name: KernelProfile;
  /** `uname -r` where a machine does not give one. */
  readonly release: string;
  /** DMA ownership of groups is accounted (5.19 and the backports). */
  readonly ownership: boolean;
  /** Bound VFIO devices have `vfio-dev/vfioN` (6.1). */
  readonly vfioDev: boolean;
  /** driver_override reads and writes take the device lock. */
  readonly overrideLocks: boolean;
  /** `uevent` reads take the device lock. */
  readonly ueventLocks: boolean;
  /** vfio-dev goes, and GET_DEVICE_FD fails, before an unbind waits for its users (the cdev series). */
  readonly unregisterBeforeWait: boolean;
  /** What `bind` answers when the device has a driver already. */
  readonly bindOnBound: 'EBUSY' | 'ENODEV';
  /** `bind` tells the errno of a failed probe; otherwise ENODEV for all of them. */
  readonly bindTellsProbe: boolean;
  /** Claiming a group with a direct-mapped (RMRR) member: EINVAL of the core, or EPERM of the driver. */
  readonly claimOfDirectMapped: 'EINVAL' | 'EPERM';
  /** A write to a group's `type`: refused by ownership, or for the driver of its only device. */
  readonly typeWrite: 'ownership' | 'only-device';
  /** drivers_autoprobe=0 keeps hot-added PCI functions unbound. */
  readonly autoprobeCoversHotplug: boolean;
  /** A hot-added function that ownership keeps from its driver is named in the log. */
  readonly attachFailureLogged: boolean;
  /** A claim is refused while a member is being reset. */
  readonly claimBusyInReset: boolean;
  /** Binding needs a default domain, else the probe is deferred. */
  readonly bindNeedsDefaultDomain: boolean;
  /** nvme and the like probe in the background when the kernel starts the probe itself. */
  readonly asyncInitialProbe: boolean;
  /** nvme finishes its start in the background after bind returned. */
  readonly nvmeStartsLater: boolean;
  /** A network interface announces itself after its queues. */
  readonly netAddAfterQueues: boolean;
  /** Wakeup sources hang below the PCI function instead of its ACPI node. */
  readonly wakeupBelowDevice: boolean;
  /** vfio registers the type VFIO_TYPE1_NESTING_IOMMU (6). */
  readonly nestingType: boolean;
  /** power_state is `unknown` again after an unbind; otherwise the state stays what it was. */
  readonly unbindForgetsPower: boolean;
  /** Every function has a folder `aer`. */
  readonly aerFolder: boolean;
  /** Bandwidth control binds the `pcie010` service of ports. */
  readonly bandwidthControl: boolean;
  /** fdinfo of a VFIO device file names the device. */
  readonly vfioFdinfo: boolean;
  /** Who gets a lock is heard of before the one who gave it (7.2), or the other way round. */
  readonly waiterRunsFirst: boolean;
  /** Milliseconds a bus rescan takes when it finds nothing. */
  readonly rescanMs: number;
}

const modern: Profile = {
  name: '6.12',
  release: '6.12.117+deb13-amd64',
  ownership: true,
  vfioDev: true,
  overrideLocks: false,
  ueventLocks: false,
  unregisterBeforeWait: true,
  bindOnBound: 'EBUSY',
  bindTellsProbe: true,
  claimOfDirectMapped: 'EINVAL',
  typeWrite: 'ownership',
  autoprobeCoversHotplug: false,
  attachFailureLogged: true,
  claimBusyInReset: false,
  bindNeedsDefaultDomain: true,
  asyncInitialProbe: false,
  nvmeStartsLater: false,
  netAddAfterQueues: false,
  wakeupBelowDevice: false,
  nestingType: true,
  unbindForgetsPower: true,
  aerFolder: false,
  bandwidthControl: false,
  vfioFdinfo: false,
  waiterRunsFirst: false,
  rescanMs: 15,
};

const k61: Profile = {
  ...modern,
  name: '6.1',
  release: '6.1.0-53-amd64',
  overrideLocks: true,
  ueventLocks: true,
  unregisterBeforeWait: false,
  claimOfDirectMapped: 'EPERM',
  typeWrite: 'only-device',
  bindNeedsDefaultDomain: false,
  unbindForgetsPower: false,
  nvmeStartsLater: true,
  rescanMs: 40,
};

const k72: Profile = {
  ...modern,
  name: '7.2',
  release: '7.2.13-amd64',
  autoprobeCoversHotplug: true,
  attachFailureLogged: false,
  claimBusyInReset: true,
  asyncInitialProbe: true,
  netAddAfterQueues: true,
  wakeupBelowDevice: true,
  nestingType: false,
  unbindForgetsPower: false,
  aerFolder: true,
  bandwidthControl: true,
  vfioFdinfo: true,
  waiterRunsFirst: true,
};

const legacy: Profile = {
  ...k61,
  name: 'legacy',
  release: '5.10.0-46-amd64',
  ownership: false,
  vfioDev: false,
  bindOnBound: 'ENODEV',
  bindTellsProbe: false,
};

const profiles: Readonly<Record<KernelProfile, Profile>> = {
  legacy,
  '6.1': k61,
  '6.12': modern,
  '7.2': k72,
};

/** The switches of a kernel. */
export function profileOf(name: KernelProfile): Profile {
  return profiles[name];
}
