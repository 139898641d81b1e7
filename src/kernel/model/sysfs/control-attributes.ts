// Attribute files of a function that do something when written, or whose reads take the device lock.
import type { PciDevice } from '../objects/pci-device.ts';
import { errno, took, value } from '../operations/answers.ts';
import { disableDevice, enableDevice } from '../operations/device-facts.ts';
import { pciKeys } from '../operations/events.ts';
import { writeRemove, writeRescan } from '../operations/functions.ts';
import { kernelFlag, kernelNumber } from '../operations/numbers.ts';
import { readOverride, underLock, writeOverride } from '../operations/override.ts';
import { readResetMethod, writeReset, writeResetMethod } from '../operations/reset.ts';
import { writeNumVfs } from '../operations/sriov.ts';
import { writeUevent } from '../operations/synthetic-event.ts';
import { type DeviceAttribute, setting, shown } from './attribute.ts';

const isVf = (device: PciDevice): boolean => device.physfn !== null;
const isPf = (device: PciDevice): boolean => device.sriov !== null;
const canReset = (device: PciDevice): boolean => device.bootResetMethods.length > 0;

function ueventText(device: PciDevice): string {
  return pciKeys(device)
    .map(([key, text]) => `${key}=${text}\n`)
    .join('');
}

/** enable_store: never allowed while a driver is bound. */
function writeEnable(device: PciDevice, data: string): ReturnType<typeof took> {
  const wanted = kernelNumber(data);
  if (wanted === null) return errno('EINVAL');
  if (device.driver !== null) return errno('EBUSY');
  if (wanted !== 0) enableDevice(device);
  else if (device.enableCount === 0) return errno('EIO');
  else disableDevice(device);
  return value(data.length);
}

/** By name. */
export const controlAttributes: Readonly<Record<string, DeviceAttribute>> = {
  driver_override: {
    mode: 0o644,
    read: (device, machine, task) => readOverride(machine, device, task),
    write: (device, machine, { data, task }) => writeOverride(machine, device, data, task),
  },
  uevent: {
    mode: 0o644,
    read: (device, machine, task) =>
      machine.profile.ueventLocks
        ? underLock(device, task, () => value(ueventText(device)))
        : value(ueventText(device)),
    write: (device, machine, { data }) => writeUevent(machine, device, data),
  },
  enable: {
    mode: 0o644,
    read: (device) => value(`${device.enableCount}\n`),
    write: (device, _machine, { data, task }) =>
      underLock(device, task, () => writeEnable(device, data)),
  },
  remove: {
    mode: 0o220,
    there: (device) => !isVf(device) && !device.removing,
    write: (device, machine, { data, task }) => writeRemove(machine, device, data, task),
  },
  rescan: {
    mode: 0o200,
    there: (device) => !isVf(device),
    write: (device, machine, { data, task }) =>
      writeRescan(machine, data, task, device.spec.header === 'bridge' ? device : device.parent),
  },
  reset: {
    mode: 0o200,
    there: canReset,
    write: (device, machine, { data, task }) => writeReset(machine, device, data, task),
  },
  reset_method: {
    mode: 0o644,
    there: canReset,
    read: (device) => value(readResetMethod(device)),
    write: (device, _machine, { data }) => writeResetMethod(device, data),
  },
  reset_subordinate: {
    mode: 0o200,
    there: ({ spec }) => spec.header === 'bridge',
    write: (_device, _machine, { data }) =>
      took(data, kernelNumber(data) === null ? 'EINVAL' : null),
  },
  sriov_totalvfs: shown(({ sriov }) => String(sriov?.total ?? 0), isPf),
  sriov_numvfs: {
    mode: 0o644,
    there: isPf,
    // Serialised with sriov_numvfs_store by the device lock, on all kernels.
    read: (device, _machine, task) =>
      underLock(device, task, () => value(`${device.sriov?.num ?? 0}\n`)),
    write: (device, machine, { data, task }) => writeNumVfs(machine, device, data, task),
  },
  sriov_drivers_autoprobe: {
    mode: 0o644,
    there: isPf,
    read: (device) => value(device.sriov?.autoprobe === false ? '0\n' : '1\n'),
    write: (device, _machine, { data }) => {
      const wanted = kernelFlag(data);
      if (wanted === null || device.sriov === null) return errno('EINVAL');
      device.sriov.autoprobe = wanted;
      return value(data.length);
    },
  },
  sriov_offset: shown(({ spec }) => String(spec.sriov?.vfOffset ?? 0), isPf),
  sriov_stride: shown(({ spec }) => String(spec.sriov?.vfStride ?? 0), isPf),
  sriov_vf_device: shown(({ spec }) => spec.sriov?.vfDevice.replace(/^0+/, '') ?? '', isPf),
  sriov_vf_total_msix: shown(() => '0', isPf),
  ctrl: shown(
    () => 'Free resources: memory',
    (device) => device.driver?.name === 'shpchp' && device.driverLink,
  ),
  remapped_nvme: shown(
    () => '0',
    (device) => device.driver?.name === 'ahci' && device.driverLink,
  ),
  // Coherent memory pools of the driver (mm/dmapool.c).
  pools: {
    mode: 0o444,
    there: (device) => device.driver?.name === 'nvme' && device.driverLink,
    read: () => value('poolinfo - 0.1\n'),
  },
  sriov_vf_msix_count: { mode: 0o200, there: isVf, write: () => errno('EOPNOTSUPP') },
};

const isSwitch = (text: string): boolean => /^(enabled|disabled)\n?$/.test(text);

/** `power/`, below a function. */
export const powerAttributes: Readonly<Record<string, DeviceAttribute>> = {
  control: setting(
    'power/control',
    (device) => (device.vfio === null ? 'on' : 'auto'),
    (text) => /^(auto|on)\n?$/.test(text),
  ),
  runtime_status: shown((device) => device.runtimeStatus),
  runtime_usage: shown((device) => (device.runtimeStatus === 'suspended' ? '0' : '1')),
  runtime_enabled: shown(() => 'enabled'),
  runtime_active_time: shown(() => '0'),
  runtime_suspended_time: shown(() => '0'),
  runtime_active_kids: shown(() => '0'),
  async: setting('power/async', () => 'enabled', isSwitch),
  wakeup: setting(
    'power/wakeup',
    () => 'disabled',
    isSwitch,
    (device) => device.wakeupCapable,
  ),
};
