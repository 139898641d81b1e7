// What most driver personalities share: defaults, enabling the function, and names that count up.
import type { Errno } from '../../fs.ts';
import type { DriverCall, DriverId, Personality } from '../objects/driver.ts';
import { disableDevice, enableDevice, isGone } from '../operations/device-facts.ts';
import { disableVfs } from '../operations/sriov.ts';

/** A function that only this driver's own devices survive. */
export interface Behaviour {
  readonly managedDma?: boolean;
  readonly vfio?: boolean;
  readonly probeMs?: number;
  readonly removeMs?: number;
  readonly leavesSriov?: boolean;
  readonly sriovConfigure?: boolean;
  readonly prefersAsync?: boolean;
  readonly hasTable?: boolean;
  /** Does not enable the function (drivers of chipset parts that only look at registers). */
  readonly leavesDisabled?: boolean;
  readonly ids?: readonly DriverId[];
  /** Errno of a probe on a function that the driver does not know (reached through an override). */
  readonly foreignErrno?: Errno;
  /** What a probe on such a function does before it fails. */
  readonly foreign?: (call: DriverCall) => void;
  /** Whether the driver can work the function; default: the machine names it as native. */
  readonly knows?: (call: DriverCall) => boolean;
  /** What a probe does before its hardware takes time. */
  readonly begin?: (call: DriverCall) => void;
  /** Makes the children. Null, or why the probe fails. */
  readonly start?: (call: DriverCall) => Errno | null;
  /** Takes the children away. */
  readonly stop?: (call: DriverCall) => void;
  /** After a reset under the bound driver. */
  readonly resetDone?: (call: DriverCall) => void;
}

const defaults = {
  managedDma: false,
  vfio: false,
  probeMs: 20,
  removeMs: 10,
  leavesSriov: false,
  sriovConfigure: false,
  prefersAsync: false,
  hasTable: true,
  ids: [] as readonly DriverId[],
};

/** True when the machine names this driver as the function's own, or a dynamic id made it so. */
export function isNative(call: DriverCall): boolean {
  return call.device.spec.nativeDriver === call.driver.name;
}

/** A driver that enables the function, makes children, and takes them away again. */
export function endpointDriver(behaviour: Behaviour): Personality {
  const knows = behaviour.knows ?? isNative;
  const {
    start,
    stop,
    foreignErrno,
    foreign,
    knows: _knows,
    leavesDisabled: _,
    ...given
  } = behaviour;
  const shape = { ...defaults, ...given };
  return {
    ...shape,
    probe: (call) => {
      if (isGone(call.machine, call.device)) return 'EIO';
      if (!knows(call)) {
        foreign?.(call);
        // It was enabled for a look at its registers: that is remembered.
        if (foreignErrno !== undefined || foreign !== undefined) call.device.powerState = 'D0';
        return foreignErrno ?? 'ENODEV';
      }
      const enables = behaviour.leavesDisabled !== true;
      if (enables) enableDevice(call.device);
      const failure = start?.(call) ?? null;
      if (failure !== null && enables) disableDevice(call.device);
      return failure;
    },
    remove: async (call) => {
      if (!shape.leavesSriov) await disableVfs(call.machine, call.device, call.task);
      stop?.(call);
      if (behaviour.leavesDisabled !== true) disableDevice(call.device);
    },
  };
}

/** A number from a name that counts up (`eth0`, `nvme1`), or null when the name does not. */
export function countOf(name: string, kind: string): number | null {
  const match = new RegExp(`^${kind}(\\d+)$`).exec(name);
  return match === null ? null : Number(match[1]);
}

/** Class id of an id table. */
export function classId(cls: number, mask: number): DriverId {
  return {
    vendor: -1,
    device: -1,
    subvendor: -1,
    subdevice: -1,
    class: cls,
    classMask: mask,
    overrideOnly: false,
  };
}

/** Vendor and device id of an id table. */
export function deviceId(vendor: number, device: number): DriverId {
  return {
    vendor,
    device,
    subvendor: -1,
    subdevice: -1,
    class: 0,
    classMask: 0,
    overrideOnly: false,
  };
}
