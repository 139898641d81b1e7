// One PCI function as inventory sees it: facts that the kernel tells without taking any lock.
// What needs a lock or a deeper look (driver_override, config space) is in MemberDetail.
import type { Known } from '../base/known.ts';
import type { PciAddress } from './address.ts';

/** Vendor, device and subsystem ids: four lower-case hex digits each, without 0x. */
export interface PciIds {
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string;
  readonly subsystemDevice: string;
}

/** A PCI function. Every field that a read can fail to give is a Known. */
export interface PciFunction {
  readonly address: PciAddress;
  readonly ids: Known<PciIds>;
  /** Six lower-case hex digits: base class, subclass, programming interface (`030000`). */
  readonly classCode: Known<string>;
  /** Name of the bound driver; null when the `driver` link is absent (which does not prove an unbind complete). */
  readonly driver: Known<string | null>;
  /** Name of the VFIO device (`vfio0`) while `vfio-dev/` has one: bound to a VFIO driver. */
  readonly vfioDevice: Known<string | null>;
  /** Number of the IOMMU group; null without an IOMMU. An attribute, never a key. */
  readonly groupNumber: Known<number | null>;
  /** NUMA node, null when the firmware does not tell (-1). */
  readonly numaNode: Known<number | null>;
  /** `enable`: with a VFIO driver, 0 = nobody has the device open, 1 or more = someone is inside. */
  readonly enableCount: Known<number>;
  /** The physical function this is a VF of. */
  readonly physicalFunction: Known<PciAddress | null>;
  /** VFs that exist now, in order. */
  readonly virtualFunctions: Known<readonly PciAddress[]>;
  /** Bridges above, root port first. */
  readonly upstream: readonly PciAddress[];
  /** Names in the device's sysfs folder: which optional attributes and child classes exist. */
  readonly entries: ReadonlySet<string>;
}

/** What a deeper look at one member tells; some of these reads may block in the kernel. */
export interface MemberDetail {
  readonly address: PciAddress;
  /** driver_override, null when unset. Blocks behind a hung unbind before 6.12.91. */
  readonly driverOverride: Known<string | null>;
  /** False when configuration space reads all ones: the device is gone or dead. */
  readonly accessible: Known<boolean>;
  /** Methods of `reset_method`, in order; empty when the function cannot be reset. */
  readonly resetMethods: Known<readonly string[]>;
  /** True when the bound driver forbids unbinding (suppress_bind_attrs: no `unbind` file); null when no driver is bound. */
  readonly unbindForbidden: Known<boolean | null>;
  /** Driver that still holds the function although it has no `driver` link any more: an unbind is going on. Null: none. */
  readonly leavingDriver: Known<string | null>;
}

/** True for header type 1 functions, told by class 0604 (PCI bridge) and 0609 (semi-transparent). */
export function isBridge(fn: PciFunction): boolean {
  return fn.classCode.known && /^060[49]/.test(fn.classCode.value);
}
